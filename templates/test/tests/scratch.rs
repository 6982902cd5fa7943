//! These tests run in a guest, as root: .cargo/config.toml.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use my_crate::Scratch;

#[test]
fn a_full_one_takes_no_more() {
    let directory = Path::new("/tmp/full");
    fs::create_dir_all(directory).unwrap();
    let _scratch = Scratch::mount(directory, 64 * 1024).unwrap();
    fs::write(directory.join("fits"), vec![1; 60 * 1024]).unwrap();
    let error = fs::write(directory.join("more"), vec![1; 60 * 1024]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

#[test]
fn nothing_of_it_stays() {
    let directory = Path::new("/tmp/gone");
    fs::create_dir_all(directory).unwrap();
    let scratch = Scratch::mount(directory, 64 * 1024).unwrap();
    fs::write(directory.join("file"), "text").unwrap();
    drop(scratch);
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn no_directory_no_mount() {
    let error = Scratch::mount(Path::new("/tmp/none"), 1)
        .err()
        .expect("an error");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
