use super::*;

fn plan(text: &str) -> Result<Plan> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("vmlinux"), "a kernel").unwrap();
    fs::write(directory.path().join("m.toml"), text).unwrap();
    Plan::read(&directory.path().join("m.toml"))
}

/// The error, without the file's path.
fn error(text: &str) -> String {
    let error = format!("{:#}", plan(text).unwrap_err());
    let (_, rest) = error.split_once("m.toml: ").unwrap();
    rest.to_owned()
}

#[test]
fn cells_are_the_product_of_the_axes() {
    let plan = plan(
        "machines = ['um', 'x86_64']\nmemory = [64, 128]\nexclude = [{ machine = 'um', memory = [64] }, { command = 'b', memory = 64 }]
[kernels]\nstock = {}\nown = { kernel = 'vmlinux', append = 'own' }
[commands]\nb = ['true']\na = { program = ['./test', 'x'], append = 'more', memory = 32, status = 7 }",
    )
    .unwrap();
    assert_eq!(plan.axes, ["kernel", "machine", "memory", "command"]);
    let names: Vec<_> = plan.cells.iter().map(Cell::name).collect();
    let expected = [
        "stock,um,128,b",
        "stock,um,128,a",
        "stock,x86_64,64,a",
        "stock,x86_64,128,b",
        "stock,x86_64,128,a",
        "own,um,128,b",
        "own,um,128,a",
        "own,x86_64,64,a",
        "own,x86_64,128,b",
        "own,x86_64,128,a",
    ];
    assert_eq!(names, expected);
    let arguments = |place: usize| plan.cells[place].options.arguments(&[]);
    assert_eq!(arguments(0), ["--target=um", "--memory=128", "--", "true"]);
    // A command's options come last.
    let expected = [
        "--target=um",
        "--kernel=vmlinux",
        "--memory=32",
        "--append=own more",
        "--",
        "./test",
        "x",
    ];
    assert_eq!(arguments(6), expected);
    assert_eq!(plan.cells[6].options.status(), 7);
}

#[test]
fn axes_can_be_missing_and_have_defaults() {
    let plan = plan("commands = [['true'], ['/bin/false', 'x']]\n[defaults]\ntimeout = 5").unwrap();
    let names: Vec<_> = plan.cells.iter().map(Cell::name).collect();
    assert_eq!(names, ["true", "false"]);
    assert_eq!(
        plan.cells[1].options.arguments(&[]),
        ["--timeout=5", "--", "/bin/false", "x"]
    );
}

#[test]
fn errors_have_a_place() {
    for (text, expected) in [
        ("", "line 1, column 1: has no commands; add for example: "),
        ("commands.x = ['a'\n", "line 1, column 18: "),
        (
            "command.x = ['a']",
            "line 1, column 1: unknown field `command`, expected one of `defaults`, `kernels`, ",
        ),
        (
            "[commands.x]\nprogram = ['a']\nmemry = 1",
            "line 3, column 1: unknown field `memry`, expected one of `target`, ",
        ),
        (
            "[commands.x]\nprogram = 'a'",
            "line 2, column 11: invalid type: string \"a\", expected a list of strings",
        ),
        (
            "commands.x = 'a'",
            "line 1, column 14: commands: `x` must be a list of a program and its arguments, or a table of options",
        ),
        (
            "commands.x = []",
            "line 1, column 1: x: has no program; give its command a `program`, a list with at least one string",
        ),
        (
            "commands.x = {}",
            "line 1, column 1: x: has no program; give its command a `program`, a list with at least one string",
        ),
        (
            "commands.x = ['a']\ncommands.x = ['b']",
            "line 2, column 10: duplicate key",
        ),
        (
            "commands = [['a'], ['b/a']]",
            "line 1, column 20: commands: `a` is there twice; name it: commands.NAME = ...",
        ),
        (
            "commands = [{ program = ['a'] }]",
            "line 1, column 13: commands: this value has no name; name it: commands.NAME = ...",
        ),
        (
            "commands.\"a,b\" = ['a']",
            "line 1, column 10: commands: `a,b` is a directory's name; take letters, ",
        ),
        (
            "commands.\"..\" = ['a']",
            "line 1, column 10: commands: `..` is a directory's name; ",
        ),
        (
            "memory = []\ncommands.x = ['a']",
            "line 1, column 10: memory: has no values; add one, or remove it",
        ),
        (
            "memory = [0]\ncommands.x = ['a']",
            "line 1, column 11: memory: `0` must be a number of MiB, or a table of options",
        ),
        (
            "memory = 'x'\ncommands.x = ['a']",
            "line 1, column 10: invalid type: string \"x\", expected a list of values, or a table with their names",
        ),
        (
            "memory = ['x']\ncommands.x = ['a']",
            "line 1, column 11: memory: `x` must be a number of MiB, or a table of options",
        ),
        (
            "kernels = ['none']\ncommands.x = ['a']",
            "line 1, column 12: kernel ",
        ),
        (
            "kernels.a = { kernel = '/' }\ncommands.x = ['a']",
            "line 1, column 13: kernel /: it is not a file",
        ),
        (
            "commands.x = ['a']\nexclude = [{ command = 'y' }]",
            "line 2, column 24: exclude: commands has no value `y`",
        ),
        (
            "commands.x = ['a']\nexclude = [{ memory = [1] }]",
            "line 2, column 24: exclude: memory has no value `1`",
        ),
        (
            "commands.x = ['a']\nexclude = [{ cmd = 'y' }]",
            "line 2, column 14: unknown field `cmd`, expected one of `kernel`, ",
        ),
        (
            "commands.x = ['a']\nexclude = [{}]",
            "line 1, column 1: no cell is left; exclude fewer of them",
        ),
    ] {
        let found = error(text);
        assert!(found.starts_with(expected), "{text}\n{found}\n{expected}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = format!("{:#}", Plan::read(Path::new("/none/m.toml")).unwrap_err());
    assert_eq!(
        error,
        "/none/m.toml: cannot read the matrix (name another FILE): No such file or directory (os error 2)"
    );
}
