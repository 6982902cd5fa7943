//! Closures. Nix 2.8 wrote the files in `tests/closure`.

use packer::closure::Graph;
use packer::{Entry, Kind, StorePath, Tree, archive};
use serde_json::{Map, Value, json};
use std::fs::{self, Permissions};
use std::num::NonZero;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use tempfile::TempDir;

const FILE: &str = "ic1iym50wnz98avdqkf47pjjkbyzc6ys-a-file";
const LINK: &str = "ln4lnqxv21j5932ljpdqvvqdqvy2jb5z-a-link";
const DIR: &str = "j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir";

const GRAPH: &str = include_str!("closure/graph");
const GRAPH_PART: &str = include_str!("closure/graph-part");
const ATTRS: &str = include_str!("closure/attrs.json");
const PATH_INFO: &str = include_str!("closure/path-info.json");

/// A store in a temporary directory, with the same contents as the store in which Nix made the graphs.
struct Store(TempDir);

impl Store {
    fn new() -> Self {
        let store = Self(TempDir::new().unwrap());
        fs::create_dir_all(store.path(&format!("{DIR}/bin"))).unwrap();
        fs::create_dir(store.path(&format!("{DIR}/empty"))).unwrap();
        store.file(FILE, "text\n", 0o444);
        store.file(&format!("{DIR}/bin/x"), "#!x\n", 0o555);
        store.file(&format!("{DIR}/one"), "same\n", 0o444);
        store.file(&format!("{DIR}/two"), "same\n", 0o444);
        let this = format!("self: /nix/store/{DIR}\n");
        store.file(&format!("{DIR}/self"), &this, 0o444);
        symlink(format!("/nix/store/{FILE}"), store.path(LINK)).unwrap();
        let link = store.path(&format!("{DIR}/link"));
        symlink(format!("/nix/store/{LINK}"), link).unwrap();
        store
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("nix/store").join(name)
    }

    fn file(&self, name: &str, contents: &str, mode: u32) {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    /// The file that Nix wrote, with this store in the place of `/nix/store`.
    fn graph(&self, graph: &str) -> Result<Graph, String> {
        let store = self.path("").display().to_string();
        let graph = graph.replace("/nix/store", store.trim_end_matches('/'));
        self.read("graph", &graph)
    }

    fn read(&self, name: &str, graph: &str) -> Result<Graph, String> {
        let file = self.0.path().join(name);
        fs::write(&file, graph).unwrap();
        Graph::read(&file).map_err(|error| self.plain(&error.to_string()))
    }

    fn insert(&self, graph: &str) -> Result<(Tree, Vec<StorePath>), String> {
        let graph = self.graph(graph)?;
        let mut tree = Tree::new();
        let inserted = graph.insert(&mut tree, NonZero::new(2).unwrap());
        let inserted = inserted.map_err(|error| self.plain(&error.to_string()))?;
        Ok((tree, inserted))
    }

    fn bytes(&self, graph: &str) -> Vec<u8> {
        let (tree, _) = self.insert(graph).unwrap();
        archive::write(&tree, 0, Vec::new()).unwrap()
    }

    /// Replaces this store by `/nix/store`.
    fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "/")
    }
}

/// The form of `nix path-info --json` from 2.19 on, with the paths as keys.
fn path_info_by_path() -> Map<String, Value> {
    let paths: Vec<Value> = serde_json::from_str(PATH_INFO).unwrap();
    let by_path = |mut fields: Value| {
        let path = fields["path"].take();
        fields.as_object_mut().unwrap().remove("path");
        (path.as_str().unwrap().to_owned(), fields)
    };
    paths.into_iter().map(by_path).collect()
}

/// The form of `--json-format 2`, from the manual of Nix 2.33.
fn path_info_2() -> Value {
    let name = |path: &str| path.strip_prefix("/nix/store/").unwrap().to_owned();
    let short = |(path, mut fields): (String, Value)| {
        for reference in fields["references"].as_array_mut().unwrap() {
            *reference = name(reference.as_str().unwrap()).into();
        }
        fields["version"] = 2.into();
        fields["storeDir"] = "/nix/store".into();
        (name(&path), fields)
    };
    let info: Map<_, _> = path_info_by_path().into_iter().map(short).collect();
    json!({ "info": info, "storeDir": "/nix/store", "version": 2 })
}

fn forms() -> [(&'static str, String); 6] {
    let mut by_path = path_info_by_path();
    let map = Value::from(by_path.clone()).to_string();
    by_path.insert("version".into(), 1.into());
    by_path.insert("storeDir".into(), "/nix/store".into());
    [
        ("exportReferencesGraph", GRAPH.into()),
        ("structured attributes", ATTRS.into()),
        ("path-info", PATH_INFO.into()),
        ("path-info 2.19", map),
        ("path-info 2.33", Value::from(by_path).to_string()),
        ("path-info 2.33, format 2", path_info_2().to_string()),
    ]
}

#[test]
fn every_form_is_the_same_closure() {
    let store = Store::new();
    for (form, graph) in forms() {
        let (tree, inserted) = store
            .insert(&graph)
            .unwrap_or_else(|e| panic!("{form}: {e}"));
        let show = |(path, entry): (&bstr::BStr, &Entry)| {
            let path = format!("/{path}");
            let path = path.strip_prefix(&format!("{}/", store.0.path().display()));
            let mode = entry
                .mode
                .map_or("usual".into(), |mode| format!("{mode:o}"));
            let target = match &entry.kind {
                Kind::Symlink { target } => format!(" -> {target}"),
                Kind::HardLink { .. } => panic!("{path:?} is a hard link"),
                _ => String::new(),
            };
            path.map(|path| format!("{path} {mode}{target}"))
        };
        let seen: Vec<_> = tree.entries().filter_map(show).collect();
        let expected = [
            "nix usual",
            "nix/store usual",
            "nix/store/ic1iym50wnz98avdqkf47pjjkbyzc6ys-a-file 444",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir 555",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/bin 555",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/bin/x 555",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/empty 555",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/link usual -> \
             /nix/store/ln4lnqxv21j5932ljpdqvvqdqvy2jb5z-a-link",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/one 444",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/self 444",
            "nix/store/j2ad4jxqkfs9xsrgmgr0znpbcs2bjns1-a-dir/two 444",
            "nix/store/ln4lnqxv21j5932ljpdqvvqdqvy2jb5z-a-link usual -> \
             /nix/store/ic1iym50wnz98avdqkf47pjjkbyzc6ys-a-file",
        ];
        assert_eq!(seen, expected, "{form}");

        // The hashes that Nix wrote. The plain form has none, so packer computed them.
        let nix: Vec<Value> = serde_json::from_str(PATH_INFO).unwrap();
        assert_eq!(inserted.len(), nix.len(), "{form}");
        for (inserted, nix) in inserted.iter().zip(nix) {
            let path = store.plain(&inserted.path);
            assert_eq!(nix["path"], path, "{form}");
            assert_eq!(nix["narHash"], inserted.nar_hash, "{form}: {path}");
            assert_eq!(nix["narSize"], inserted.nar_size, "{form}: {path}");
            let references: Vec<_> = inserted.references.iter().map(|r| store.plain(r)).collect();
            assert_eq!(nix["references"], json!(references), "{form}: {path}");
        }
    }
}

#[test]
fn threads_modes_and_links_do_not_matter() {
    let store = Store::new();
    let expected = store.bytes(PATH_INFO);
    let graph = store.graph(PATH_INFO).unwrap();
    for jobs in [1, 3, 64] {
        let mut tree = Tree::new();
        graph
            .insert(&mut tree, NonZero::new(jobs).unwrap())
            .unwrap();
        assert_eq!(
            archive::write(&tree, 0, Vec::new()).unwrap(),
            expected,
            "{jobs}"
        );
    }

    // As after `nix-store --optimise`.
    fs::remove_file(store.path(&format!("{DIR}/two"))).unwrap();
    let [one, two] = ["one", "two"].map(|name| store.path(&format!("{DIR}/{name}")));
    fs::hard_link(one, two).unwrap();
    assert_eq!(store.bytes(PATH_INFO), expected);

    // Attributes that a NAR does not have.
    for (name, mode) in [
        ("", 0o700),
        ("/empty", 0o1777),
        ("/bin/x", 0o700),
        ("/self", 0o666),
    ] {
        let path = store.path(&format!("{DIR}{name}"));
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(store.bytes(PATH_INFO), expected);
}

#[test]
fn what_is_in_several_graphs_is_there_once() {
    let store = Store::new();
    let twice = format!("{GRAPH}{GRAPH_PART}");
    assert_eq!(store.bytes(&twice), store.bytes(GRAPH));

    let (_, expected) = store.insert(PATH_INFO).unwrap();
    // In either order, the hashes come from the graph that has them.
    for graphs in [[PATH_INFO, GRAPH_PART], [GRAPH_PART, PATH_INFO]] {
        let [mut graph, other] = graphs.map(|graph| store.graph(graph).unwrap());
        graph.merge(other).unwrap();
        let mut tree = Tree::new();
        assert_eq!(
            graph.insert(&mut tree, NonZero::<usize>::MIN).unwrap(),
            expected
        );
        store.file(FILE, "TEXT\n", 0o444);
        graph.insert(&mut tree, NonZero::<usize>::MIN).unwrap_err();
        store.file(FILE, "text\n", 0o444);
    }

    let part = GRAPH_PART.replace(
        "\n1\n/nix/store/ic1iym50wnz98avdqkf47pjjkbyzc6ys-a-file",
        "\n0",
    );
    let other = store.graph(&part).unwrap();
    let mut graph = store.graph(PATH_INFO).unwrap();
    let error = store.plain(&graph.merge(other).unwrap_err().to_string());
    let link = format!("/nix/store/{LINK}");
    let expected = format!("/graph: has {link} with other references than /graph");
    assert_eq!(error, expected);
}

/// The store differs from the graph.
#[test]
fn a_store_that_was_changed() {
    let nar = "sha256-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=";
    let advice = "`nix-store --verify --check-contents` finds everything in the store that was";
    let change = |contents: &str, mode| {
        let store = Store::new();
        store.file(FILE, contents, mode);
        store.insert(PATH_INFO).map(drop)
    };
    assert_eq!(change("text\n", 0o644), Ok(()), "not part of a NAR");
    for (contents, mode, found) in [
        (
            "TEXT\n",
            0o444,
            "sha256-4iiOw+pIFhpg84J384LlhdsdgSHKU2+36l6Clk0n/OE=, 120 bytes",
        ),
        (
            "text\n",
            0o555,
            "sha256-chXUQ3BQ0fquJUT85P05jlJFpioJGgY/b/h0OdvBELY=, 152 bytes",
        ),
        (
            "",
            0o444,
            "sha256-d6xi4mKdjkX2JFicDIv5niSzpyI0m/Hnm8GGAIU04kY=, 112 bytes",
        ),
    ] {
        let error = format!(
            "/nix/store/{FILE}: was changed since it was registered: its NAR was {nar}, 120 bytes, \
             and is {found}; {advice}"
        );
        assert_eq!(change(contents, mode), Err(error));
    }

    // The plain form has no hashes to compare with.
    let store = Store::new();
    store.file(FILE, "TEXT\n", 0o444);
    store.insert(GRAPH).unwrap();

    let size = PATH_INFO.replace("\"narSize\": 120", "\"narSize\": 121");
    let error = Store::new().insert(&size).unwrap_err();
    let was = format!("its NAR was {nar}, 121 bytes, and is {nar}, 120 bytes;");
    assert!(error.contains(&was), "{error}");
}

#[test]
fn a_store_that_lacks_something() {
    let store = Store::new();
    fs::remove_file(store.path(LINK)).unwrap();
    fs::remove_file(store.path(FILE)).unwrap();
    let error = format!(
        "/nix/store/{FILE}: No such file or directory (os error 2); \
         `nix-store --realise` builds or fetches it"
    );
    assert_eq!(store.insert(GRAPH).unwrap_err(), error, "the first by path");

    let store = Store::new();
    fs::remove_file(store.path(FILE)).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, store.path(FILE), mode).unwrap();
    let path = format!("/nix/store/{FILE}");
    let error = format!("{path}: cannot be hashed: unsupported file type: {path}");
    assert_eq!(store.insert(GRAPH).unwrap_err(), error);
}

#[test]
fn plain_graphs_that_cannot_be() {
    let store = Store::new();
    let file = format!("/nix/store/{FILE}");
    let link = format!("/nix/store/{LINK}");
    let form = "is not a store path such as /nix/store/HASH-NAME";
    for (graph, error) in [
        (String::new(), ": has no store paths".into()),
        ("\n".into(), format!(":1: `` {form}")),
        ("x\n\n0\n".into(), format!(":1: `x` {form}")),
        ("\u{1b}[m\n".into(), format!(":1: `\\x1b[m` {form}")),
        (format!("{file}/x\n\n0\n"), format!(":1: `{file}/x` {form}")),
        (file.clone(), ":1: ends where a store path should be".into()),
        (
            format!("{file}\n"),
            ":2: ends where an empty line, or the path of the deriver should be".into(),
        ),
        (
            // The form that nix-store --register-validity reads with --hash-given.
            format!("{file}\nd69d5d02aa90df2511dd4880db742e6d\n120\n\n0\n"),
            format!(":2: `d69d5d02aa90df2511dd4880db742e6d` {form}"),
        ),
        (
            format!("{file}\n\n-1\n"),
            ":3: `-1` is not a number of references".into(),
        ),
        (
            format!("{file}\n\n+1\n"),
            ":3: `+1` is not a number of references".into(),
        ),
        (
            format!("{file}\n\n\n"),
            ":3: `` is not a number of references".into(),
        ),
        (
            format!("{file}\n\n1\n"),
            ":4: ends where a reference should be".into(),
        ),
        (
            format!("{file}\n\n18446744073709551615\n{file}\n"),
            ":5: ends where a reference should be".into(),
        ),
        (format!("{file}\n\n1\nx\n"), format!(":4: `x` {form}")),
        (
            format!("{file}\n\n0\n{file}\n\n1\n{file}\n"),
            format!(":7: has {file} twice, with different references"),
        ),
        (
            format!("{file}\n\n1\n{link}\n"),
            format!(
                ": {file} refers to {link}, which is not in the graph; \
                 `nix path-info --json --recursive` writes all of it"
            ),
        ),
        (
            format!("{file}\n\n0\n/other/{LINK}\n\n0\n"),
            format!(": /other/{LINK} is in another store than {file}"),
        ),
    ] {
        let result = store.read("graph", &graph).map(drop);
        assert_eq!(result, Err(format!("/graph{error}")), "{graph}");
    }
    let deriver = format!("{file}\n/nix/store/{LINK}.drv\n1\n{file}\n");
    store.read("graph", &deriver).unwrap();
}

#[test]
fn json_graphs_that_cannot_be() {
    let store = Store::new();
    let path = format!("/nix/store/{FILE}");
    let sha256 = "sha256-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=";
    let good = json!({ "path": path, "narHash": sha256, "narSize": 120, "references": [] });
    let with = |name: &str, value: Value| {
        let mut fields = good.clone();
        fields[name] = value;
        json!([fields])
    };
    let form = "is not a store path such as /nix/store/HASH-NAME";
    let gone = "was not in the store when the graph was written";
    let attrs = |graphs: Value| json!({ "exportReferencesGraph": graphs, "g": {} });
    let not_a_graph = |name: &str| format!("`{name}` is not an array, so not a graph");
    for (graph, error) in [
        (json!([]), "has no store paths".into()),
        (json!({}), "has no store paths".into()),
        (attrs(json!({})), "has no store paths".into()),
        (
            attrs(json!([])),
            "`exportReferencesGraph` is not an object".into(),
        ),
        (attrs(json!({ "g": [] })), not_a_graph("g")),
        (attrs(json!({ "none": [] })), not_a_graph("none")),
        (json!([1]), "an element is not an object".into()),
        (json!({ "x": 1 }), "`x` is not an object".into()),
        (json!({ "\n": 1 }), r"`\x0a` is not an object".into()),
        (json!({ "x": {} }), format!("`x` {form}")),
        (json!({ "info": [] }), "`info` is not an object".into()),
        (json!({ "info": {} }), "`storeDir` is not a string".into()),
        (json!({ &path: null }), format!("{path} {gone}")),
        (
            json!([{ "path": path, "valid": false }]),
            format!("{path} {gone}"),
        ),
        (
            json!([{ "path": path }]),
            format!("{path}: `references` is not an array"),
        ),
        (with("path", json!(1)), "`path` is not a string".into()),
        (
            with("references", json!([1])),
            format!("{path}: a reference is not a string"),
        ),
        (
            with("references", json!([FILE])),
            format!("{path}: `{FILE}` {form}"),
        ),
        (
            with("narHash", json!(null)),
            format!("{path}: `narHash` is not a string"),
        ),
        (
            with("narHash", json!("md5:0")),
            format!("{path}: `md5:0` is not a SHA-256"),
        ),
        (
            with("narHash", json!("\n")),
            format!(r"{path}: `\x0a` is not a SHA-256"),
        ),
        (
            with("narSize", json!(-1)),
            format!("{path}: `narSize` is not a number of bytes"),
        ),
        (
            json!([good, with("narSize", json!(1))[0]]),
            format!("has {path} twice, with different NARs"),
        ),
    ] {
        let graph = graph.to_string();
        let result = store.read("graph", &graph).map(drop);
        assert_eq!(result, Err(format!("/graph: {error}")), "{graph}");
    }
    let error = store.read("graph", "[{").map(drop).unwrap_err();
    assert_eq!(
        error,
        "/graph: is not JSON: EOF while parsing an object at line 1 column 2"
    );
    store.read("graph", &json!([good]).to_string()).unwrap();

    let missing = PathBuf::from("none");
    let error = Graph::read(&missing).unwrap_err().to_string();
    assert_eq!(error, "none: No such file or directory (os error 2)");
}
