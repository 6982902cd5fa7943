/* For LD_PRELOAD: readdir(3) gives the entries of a directory in the reverse of the order in which the file system has them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What is left to be given of a directory that is being read. */
struct reading {
  DIR *directory;
  struct dirent **entries;
  size_t count;
  struct reading *next;
};

static struct reading *readings;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct reading **find(DIR *directory) {
  struct reading **reading = &readings;
  while (*reading && (*reading)->directory != directory)
    reading = &(*reading)->next;
  return reading;
}

static void forget(DIR *directory) {
  pthread_mutex_lock(&mutex);
  struct reading **place = find(directory), *reading = *place;
  if (reading) {
    *place = reading->next;
    free(reading);
  }
  pthread_mutex_unlock(&mutex);
}

static struct reading *read_all(DIR *directory) {
  struct dirent *(*next)(DIR *) = dlsym(RTLD_NEXT, "readdir"), *entry;
  struct reading *reading = calloc(1, sizeof *reading);
  reading->directory = directory;
  while ((entry = next(directory))) {
    reading->entries = realloc(reading->entries, (reading->count + 1) * sizeof entry);
    reading->entries[reading->count++] = memcpy(malloc(entry->d_reclen), entry, entry->d_reclen);
  }
  reading->next = readings;
  return readings = reading;
}

struct dirent *readdir(DIR *directory) {
  pthread_mutex_lock(&mutex);
  struct reading *reading = *find(directory);
  if (!reading)
    reading = read_all(directory);
  pthread_mutex_unlock(&mutex);
  /* They are not freed: what was given may still be looked at, and the programs are short-lived. */
  return reading->count ? reading->entries[--reading->count] : NULL;
}

/* On 64-bit Linux they are the same. */
struct dirent64 *readdir64(DIR *directory) { return (struct dirent64 *)readdir(directory); }

int closedir(DIR *directory) {
  forget(directory);
  return ((int (*)(DIR *))dlsym(RTLD_NEXT, "closedir"))(directory);
}

void rewinddir(DIR *directory) {
  forget(directory);
  ((void (*)(DIR *))dlsym(RTLD_NEXT, "rewinddir"))(directory);
}
