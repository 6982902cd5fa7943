/* unpack IMAGE DIRECTORY: unpacks an image as Linux does, with its code, to an empty directory. Prints the message of the kernel and
 * exits with 1 if there is one. Modes, owners and times are not set, and devices are sockets. */
#include "kernel.h"

struct path { char name[PATH_MAX + 3]; };
struct file { int fd; struct path f_path; };
struct kstat { unsigned mode; };

#define IS_ERR(p) ((long)(p) < 0)
#define O_LARGEFILE 0
#define MKDEV(major, minor) ((major) << 20 | (minor))
#define new_encode_dev(dev) (dev)

/* The path below the current directory. Two calls do not share their result. */
static const char *below(const char *path)
{
	static char paths[2][2 * PATH_MAX];
	static int next;

	next = !next;
	snprintf(paths[next], sizeof paths[next], "./%s", path);
	return paths[next];
}

static int init_stat(const char *path, struct kstat *found, int flags)
{
	struct stat st;

	if (lstat(below(path), &st))
		return -errno;
	found->mode = st.st_mode;
	return 0;
}

static struct file *filp_open(const char *path, int flags, umode_t mode)
{
	struct file *file = malloc(sizeof *file);

	strcpy(file->f_path.name, below(path));
	file->fd = open(file->f_path.name, flags, 0644);
	return file->fd < 0 ? (void *)-1L : file;
}

static ssize_t kernel_write(struct file *file, const void *from, size_t size, loff_t *at)
{
	ssize_t written = pwrite(file->fd, from, size, *at);

	if (written > 0)
		*at += written;
	return written;
}

static void vfs_truncate(struct path *path, long size) { truncate(path->name, size); }
static void fput(struct file *file) { close(file->fd); free(file); }
static int init_rmdir(const char *path) { return rmdir(below(path)); }
static int init_unlink(const char *path) { return unlink(below(path)); }
static int init_link(const char *old, const char *new) { return link(below(old), below(new)); }
static int init_mkdir(const char *path, umode_t mode) { return mkdir(below(path), 0755); }
static int init_symlink(const char *target, const char *path) { return symlink(target, below(path)); }
static int init_mknod(const char *path, umode_t mode, unsigned dev)
{
	return mknod(below(path), (S_ISFIFO(mode) ? S_IFIFO : S_IFSOCK) | 0600, 0);
}
static int init_chown(const char *path, uid_t uid, gid_t gid, int flags) { return 0; }
static int init_chmod(const char *path, umode_t mode) { return 0; }
static void vfs_fchown(struct file *file, uid_t uid, gid_t gid) { }
static void vfs_fchmod(struct file *file, umode_t mode) { }
static void show_mem(void) { }
static void panic(const char *message, ...) { abort(); }

#include "initramfs.c"

int main(int argc, char **argv)
{
	static char image[1 << 20];
	FILE *file = fopen(argv[1], "rb");
	size_t size = fread(image, 1, sizeof image, file);
	const char *message;

	if (size == sizeof image || chdir(argv[2]))
		return 2;
	message = unpack_to_rootfs(image, size);
	if (message)
		puts(message);
	return message != NULL;
}
