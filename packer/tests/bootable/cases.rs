//! Images that were once judged wrongly.

use super::*;

#[test]
fn hard_links_whose_other_names_are_missing() {
    let entries = [
        good_init(),
        dir("lib"),
        name("lib/libz.so", 2, 2, ""),
        name("lib/libz.so.1", 3, 2, "ELF!"),
    ];
    let report = verify_boot(&archive(&entries)[..], None, &Conditions::default()).unwrap();
    let problem = "/lib/libz.so: is empty, and the archive has only 1 of its 2 names: the contents may be missing with the \
                   other names";
    assert_eq!(report.problems, [problem]);
    expect_one(
        &found(&entries),
        "note: /lib/libz.so: claims 2 names (hard links), and the archive has only 1 of them (1 more file lacks names)",
    );
}

#[test]
fn early_microcode_needs_no_directories() {
    let early = archive(&[file("kernel/x86/microcode/GenuineIntel.bin", "\x01\0\0\0")]);
    let mut image = early.clone();
    pad(&mut image, 512);
    image.extend(gzip(&archive(&[good_init()])));
    let report = verify_boot(&image[..], None, &Conditions::default()).unwrap();
    assert!(
        report.problems.is_empty() && report.findings.is_empty(),
        "{report:?}"
    );
    // The boot loader may take the rest from another file.
    expect_one(
        &findings(&early, &Conditions::default()),
        "note: /init: is not in the image",
    );
}

#[test]
fn a_file_where_a_directory_with_contents_was() {
    let entries = [
        good_init(),
        dir("etc"),
        file("etc/rc", "x"),
        file("etc", "y"),
    ];
    let report = verify_boot(&archive(&entries)[..], None, &Conditions::default()).unwrap();
    let problem = "/etc: Linux drops it: there is a directory that is not empty";
    assert_eq!(report.problems, [problem]);
    expect_none(&found(&entries));
    // With merged /usr, a second archive may not bring /lib as a link.
    let first = [dir("lib"), program("lib/ld.so", Elf::library().bytes())];
    let second = [
        symlink("lib", "usr/lib"),
        dir("usr"),
        dir("usr/lib"),
        program("init", Elf::program().bytes()),
    ];
    let image = [archive(&first), archive(&second)].concat();
    let report = verify_boot(&image[..], None, &Conditions::default()).unwrap();
    assert_eq!(
        report.problems,
        ["/lib: Linux drops it: there is a directory that is not empty"]
    );
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[test]
fn a_damaged_image_has_no_findings() {
    let image = archive(&[dir("dev"), file("data", "xxxxxxxx")]);
    let report = verify_boot(&image[..200], None, &Conditions::default()).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert!(report.findings.is_empty());
}
