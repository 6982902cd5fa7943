/* A plugin for QEMU's TCG that counts what it has to do for a guest, for `bench boot`.
 *
 *   -plugin count.so,out=FILE
 *
 * When QEMU ends, in order, FILE has three numbers: the guest's instructions that were executed, those that were translated to
 * the host's, and the blocks that they were translated in. Debian has neither QEMU's own plugins (libinsn, hotblocks) nor the
 * header for them, hence the declarations here; they are of version 1 of the interface, in QEMU's qemu-plugin.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block;
enum { ADD_U64 = 0 };

size_t qemu_plugin_tb_n_insns(const struct block *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int operation, void *, uint64_t);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

EXPORT int qemu_plugin_version = 1;

static uint64_t executed, translated, blocks;
static char path[4096];

static void on_translation(plugin_id id, struct block *block) {
  size_t instructions = qemu_plugin_tb_n_insns(block);
  translated += instructions;
  blocks++;
  /* Added by the translated block itself, each time that it runs. */
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed, instructions);
}

static void on_exit(plugin_id id, void *unused) {
  FILE *out = fopen(path, "w");
  if (out) {
    fprintf(out, "%llu %llu %llu\n", (unsigned long long)executed, (unsigned long long)translated, (unsigned long long)blocks);
    fclose(out);
  }
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments) {
  if (count != 1 || strncmp(arguments[0], "out=", 4) || strlen(arguments[0]) - 4 >= sizeof path)
    return 1;
  strcpy(path, arguments[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_exit, NULL);
  return 0;
}
