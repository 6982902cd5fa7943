// A module that greets when it is loaded, and again when it is removed.
#include <linux/module.h>

static char *name = "you";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "whom to greet");

static int __init greet(void)
{
	pr_info("greeting: hello, %s\n", name);
	return 0;
}

static void __exit part(void)
{
	pr_info("greeting: goodbye, %s\n", name);
}

module_init(greet);
module_exit(part);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Greets");
