//! Debian's package index: the `Packages` file, in deb822(5) stanzas.

use std::collections::HashMap;

use anyhow::{Context, Result};

/// One stanza of a `Packages` file: the fields that a lock needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// Name of the binary package.
    pub name: String,
    /// Version, epoch included.
    pub version: String,
    /// Path below the mirror's root (`Filename`).
    pub path: String,
    /// Size of the `.deb` in bytes.
    pub size: u64,
    /// SHA-256 of the `.deb`, in hexadecimal.
    pub sha256: String,
    /// `Pre-Depends` and `Depends`: each item is a list of alternatives.
    pub depends: Vec<Vec<String>>,
    /// Virtual packages that this one stands for.
    pub provides: Vec<String>,
}

/// Every package of a suite by name, and who provides the virtual ones.
#[derive(Default)]
pub struct Index {
    packages: HashMap<String, Package>,
    providers: HashMap<String, Vec<String>>,
}

impl Index {
    /// Reads a whole `Packages` file.
    pub fn parse(text: &str) -> Result<Self> {
        let mut index = Self::default();
        for stanza in text.split("\n\n").filter(|s| !s.trim().is_empty()) {
            let package = parse_package(stanza)?;
            for virtual_name in &package.provides {
                let providers = index.providers.entry(virtual_name.clone()).or_default();
                providers.push(package.name.clone());
            }
            index.packages.insert(package.name.clone(), package);
        }
        Ok(index)
    }

    /// The package of that name, if it is a real one.
    pub fn get(&self, name: &str) -> Option<&Package> {
        self.packages.get(name)
    }

    /// The packages that provide a virtual one.
    pub fn providers(&self, name: &str) -> &[String] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }
}

fn parse_package(stanza: &str) -> Result<Package> {
    // Continuation lines (descriptions, tags) start with a space and hold nothing that is needed.
    let fields: HashMap<&str, &str> = stanza
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key, value.trim()))
        .collect();
    let name = fields.get("Package").context("a stanza without Package")?;
    let field = |key: &str| {
        let value = fields.get(key).copied();
        value.with_context(|| format!("package {name}: no field {key}"))
    };
    let relations = |key: &str| relations(fields.get(key).copied().unwrap_or_default());
    let mut depends = relations("Pre-Depends");
    depends.extend(relations("Depends"));
    Ok(Package {
        name: name.to_string(),
        version: field("Version")?.to_owned(),
        path: field("Filename")?.to_owned(),
        size: field("Size")?
            .parse()
            .with_context(|| format!("package {name}: Size"))?,
        sha256: field("SHA256")?.to_owned(),
        depends,
        provides: relations("Provides").into_iter().flatten().collect(),
    })
}

/// `a (>= 1), b:any | c` to `[[a], [b, c]]`. Versions are not looked at: a frozen release is consistent with itself.
fn relations(text: &str) -> Vec<Vec<String>> {
    let alternatives = |item: &str| -> Vec<String> {
        item.split('|')
            .filter_map(|name| name.split([' ', '(', '[', ':']).find(|s| !s.is_empty()))
            .map(str::to_owned)
            .collect()
    };
    text.split(',')
        .map(alternatives)
        .filter(|names| !names.is_empty())
        .collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A `Packages` stanza with made-up sums.
    pub fn stanza(name: &str, fields: &str) -> String {
        format!(
            "Package: {name}\nVersion: 1:2.0~x+b1\nFilename: pool/main/{name}.deb\nSize: 7\nSHA256: 00ff\n{fields}\n\n"
        )
    }

    #[test]
    fn reads_the_fields_of_a_stanza() {
        let text = stanza(
            "qemu",
            "Depends: libc6 (>= 2.34), gcc:any | clang [amd64]\nPre-Depends: dpkg\nProvides: vm (= 1)\nDescription: x\n Depends: no",
        );
        let index = Index::parse(&text).unwrap();
        let package = index.get("qemu").unwrap();
        assert_eq!(package.version, "1:2.0~x+b1");
        assert_eq!(package.size, 7);
        assert_eq!(
            package.depends,
            [vec!["dpkg"], vec!["libc6"], vec!["gcc", "clang"]]
        );
        assert_eq!(index.providers("vm"), ["qemu"]);
    }

    #[test]
    fn names_the_package_whose_field_is_missing() {
        let error = Index::parse("Package: qemu\nVersion: 1\n").err().unwrap();
        assert_eq!(error.to_string(), "package qemu: no field Filename");
    }
}
