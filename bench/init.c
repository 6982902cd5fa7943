/* PID 1 for nolibc, for `bench run`: runs a program on the article's kernel without any of our own parts. It is given the program's path and
 * arguments at the end of the kernel's command line, after `--`. It prints the program's exit status, and restarts.
 */
int main(int count, char **arguments, char **environment) {
  int status = -1;
  mkdir("/dev", 0755);
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  pid_t child = fork();
  if (child == 0) {
    if (count > 1)
      execve(arguments[1], arguments + 1, environment);
    exit(127);
  }
  waitpid(child, &status, 0);
  printf("status: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  reboot(LINUX_REBOOT_CMD_RESTART);
}
