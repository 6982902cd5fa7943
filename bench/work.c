/* The program that `bench run` runs, on the host and in guests. It is linked dynamically, as most programs are.
 *
 *   work            ends at once, as true(1) does
 *   work copy N     copies N bytes one by one, as `dd bs=1` does: two system calls for each
 *   work collatz N  finds the longest Collatz sequence below N: it computes, and makes no system calls
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int copy(long count) {
  int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  char byte;
  while (count-- > 0)
    if (read(zero, &byte, 1) != 1 || write(null, &byte, 1) != 1)
      return perror("copy"), 1;
  return 0;
}

/* From an even number to its half, from an odd one to three times it and one, until 1 (Collatz). */
static int collatz(long limit) {
  long best = 1, most = 0;
  for (long start = 1; start < limit; start++) {
    long steps = 0;
    for (unsigned long number = start; number != 1; steps++)
      number = number % 2 ? 3 * number + 1 : number / 2;
    if (steps > most) {
      most = steps;
      best = start;
    }
  }
  printf("%ld: %ld steps\n", best, most);
  return 0;
}

int main(int count, char **arguments) {
  if (count == 1)
    return 0;
  if (count == 3 && !strcmp(arguments[1], "copy"))
    return copy(atol(arguments[2]));
  if (count == 3 && !strcmp(arguments[1], "collatz"))
    return collatz(atol(arguments[2]));
  fputs("usage: work [copy N | collatz N]\n", stderr);
  return 2;
}
