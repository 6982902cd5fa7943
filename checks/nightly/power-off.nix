# The example `power-off`, whose kernel has ACPI, powers off the machine `pc`.
{ examples }: examples.power-off.check
