//! Manifests of images.

use super::*;

fn sri(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)))
}

#[test]
fn hashes_of_images_and_archives() {
    let (a, b, c) = (
        join([&one("a"), &[0; 16]]),
        one("b"),
        join([&one("c"), &[0; 6]]),
    );
    let early = join([&[0; 4], &a]);
    let both = gzip(&join([&b, &c]));
    let image = join([&early, &both, &[0; 9]]);
    let manifest = Manifest::of_image(&image[..]).unwrap();
    assert_eq!(manifest.version, 1);
    assert_eq!(manifest.image.size, image.len() as u64);
    assert_eq!(manifest.image.hash, sri(&image));
    let found = manifest.archives.iter().map(|archive| {
        (
            archive.offset,
            &archive.compression[..],
            archive.size,
            archive.hash.clone(),
        )
    });
    let member = early.len() as u64;
    let expected = [
        (4, "none", a.len() as u64, sri(&a)),
        (member, "gzip", b.len() as u64, sri(&b)),
        (member, "gzip", c.len() as u64, sri(&c)),
    ];
    assert!(found.eq(expected), "{manifest:?}");
    let archives: Vec<_> = manifest.entries.iter().map(|entry| entry.archive).collect();
    assert_eq!(archives, [0, 1, 2]);
}

#[test]
fn paths_are_from_the_root_on() {
    let paths = [
        ".", "a", "./a", "/a", "a/", "a//b/./c", "..", "../a", "a/../b", "/",
    ];
    let image = archive(&paths.map(dir));
    let manifest = Manifest::of_image(&image[..]).unwrap();
    let paths: Vec<_> = manifest
        .entries
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    let expected = [
        "/", "/a", "/a", "/a", "/a", "/a/b/c", "/..", "/../a", "/a/../b", "/",
    ];
    assert_eq!(paths, expected);
}

/// Hard links, with the first name and the contents of each.
fn links(image: &[u8]) -> Vec<String> {
    let entries = Manifest::of_image(image).unwrap().entries.into_iter();
    let link = |entry: packer::manifest::ManifestEntry| {
        let ManifestKind::File {
            size,
            sha256,
            hard_link_to,
        } = entry.kind
        else {
            panic!()
        };
        let contents = ["", "A", "BB"].iter().find(|contents| {
            format!("{:x}", Sha256::digest(contents)) == sha256 && size == contents.len() as u64
        });
        let to = hard_link_to
            .map(|path| format!(" -> {path}"))
            .unwrap_or_default();
        format!("{}{to} = {}", entry.path, contents.unwrap())
    };
    entries.map(link).collect()
}

#[test]
fn all_names_of_a_file_have_its_contents() {
    let image = archive(&[
        name("last-1", 1, 3, ""),
        name("first-1", 2, 2, "BB"),
        name("last-2", 1, 3, ""),
        name("first-2", 2, 2, ""),
        name("last-3", 1, 3, "A"),
        name("empty-1", 3, 2, ""),
        name("empty-2", 3, 2, ""),
        name("all-1", 4, 2, "A"),
        name("all-2", 4, 2, "A"),
        // With a link count of 1, the same inode number has no meaning.
        name("single", 1, 1, "BB"),
    ]);
    // The inode numbers are valid up to the trailer.
    let image = join([&image, &archive(&[name("other", 1, 3, "")])]);
    assert_eq!(
        links(&image),
        [
            "/last-1 = A",
            "/first-1 = BB",
            "/last-2 -> /last-1 = A",
            "/first-2 -> /first-1 = BB",
            "/last-3 -> /last-1 = A",
            "/empty-1 = ",
            "/empty-2 -> /empty-1 = ",
            "/all-1 = A",
            "/all-2 -> /all-1 = A",
            "/single = BB",
            "/other = ",
        ]
    );
}

#[test]
fn a_manifest_is_read_back() {
    let image = archive(&[
        dir("."),
        file(b"\xff\n", "A"),
        symlink("l", "\\"),
        device("c", CHAR, (5, 1)),
    ]);
    let manifest = Manifest::of_image(&image[..]).unwrap();
    let mut json = Vec::new();
    manifest.write(&mut json).unwrap();
    assert_eq!(Manifest::read_json(&json[..]).unwrap(), manifest);

    for (json, expected) in [
        ("", "is not a manifest: EOF while parsing"),
        ("[]", "is not a manifest: "),
        (
            r#"{"version": 1}"#,
            "is not a manifest: missing field `image`",
        ),
        (
            r#"{"version": 2, "entries": "of another kind"}"#,
            "is a manifest of version 2, not 1; make it again with this packer",
        ),
    ] {
        let Err(Error::Input(error)) = Manifest::read_json(json.as_bytes()) else {
            panic!("{json}")
        };
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
