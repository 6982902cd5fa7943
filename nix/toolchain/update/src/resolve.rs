//! From the names that a tree asks for to all the packages that it needs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::index::{Index, Package};

/// One entry of `packages.nix`, as far as the lock is concerned.
#[derive(Deserialize)]
pub struct Tree {
    /// What is asked for by name. `NAME/SUITE` takes it from that suite, as in apt.
    pub packages: Vec<String>,
    /// Dependencies that are not followed.
    #[serde(default)]
    pub without: Vec<String>,
    /// Trees that this one builds on: what is in them is not repeated.
    #[serde(default)]
    pub on: Vec<String>,
}

/// Suites by name; the first one is where a name without a suite is looked up.
pub struct Suites(pub Vec<(String, Index)>);

impl Suites {
    fn find(&self, spec: &str) -> Result<&Package> {
        let (name, index) = match spec.split_once('/') {
            None => (spec, &self.0[0].1),
            Some((name, suite)) => {
                let found = self.0.iter().find(|(known, _)| known == suite);
                let (_, index) = found.with_context(|| format!("{spec}: unknown suite {suite}"))?;
                (name, index)
            }
        };
        index
            .get(name)
            .with_context(|| format!("{spec}: no such package in the index"))
    }
}

/// Every tree's packages, sorted, dependencies included.
pub fn resolve(
    trees: &BTreeMap<String, Tree>,
    suites: &Suites,
) -> Result<BTreeMap<String, BTreeMap<String, Package>>> {
    let mut resolved = BTreeMap::new();
    for (name, tree) in trees {
        let packages = closure(tree, suites).with_context(|| format!("tree {name}"))?;
        resolved.insert(name.clone(), packages);
    }
    let full = resolved.clone();
    for (name, packages) in &mut resolved {
        for base in &trees[name].on {
            let Some(base) = full.get(base) else {
                bail!("tree {name}: builds on {base}, which is not a tree");
            };
            packages.retain(|package, _| !base.contains_key(package));
        }
    }
    Ok(resolved)
}

fn closure(tree: &Tree, suites: &Suites) -> Result<BTreeMap<String, Package>> {
    let mut chosen = BTreeMap::new();
    let mut queue = Vec::new();
    // What is asked for comes first, so that it decides between alternatives.
    for spec in &tree.packages {
        let package = suites.find(spec)?;
        chosen.insert(package.name.clone(), package.clone());
        queue.push(package.clone());
    }
    let without: BTreeSet<&str> = tree.without.iter().map(String::as_str).collect();
    while let Some(package) = queue.pop() {
        for alternatives in &package.depends {
            if alternatives
                .iter()
                .any(|name| without.contains(name.as_str()))
            {
                continue;
            }
            let candidates = candidates(alternatives, suites);
            if candidates.iter().any(|name| chosen.contains_key(*name)) {
                continue;
            }
            let name = candidates.first().with_context(|| {
                format!(
                    "{}: no package for {}",
                    package.name,
                    alternatives.join(" | ")
                )
            })?;
            let dependency = suites.find(name)?;
            chosen.insert(dependency.name.clone(), dependency.clone());
            queue.push(dependency.clone());
        }
    }
    Ok(chosen)
}

/// The real packages that satisfy one of the alternatives, in order of preference.
fn candidates<'a>(alternatives: &'a [String], suites: &'a Suites) -> Vec<&'a str> {
    let index = &suites.0[0].1;
    let mut names = Vec::new();
    for name in alternatives {
        if index.get(name).is_some() {
            names.push(name.as_str());
        }
        names.extend(index.providers(name).iter().map(String::as_str));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::stanza;

    fn suites() -> Suites {
        let stable = [
            stanza("app", "Depends: libc, mta | exim, conf"),
            stanza("libc", "Depends: libgcc"),
            stanza("libgcc", ""),
            stanza("postfix", "Provides: mta"),
            stanza("exim", ""),
            stanza("conf", "Depends: perl"),
            stanza("broken", "Depends: nowhere"),
        ];
        let newer = stanza("app", "Depends: libc").replace("2.0", "3.0");
        Suites(vec![
            ("stable".into(), Index::parse(&stable.concat()).unwrap()),
            ("newer".into(), Index::parse(&newer).unwrap()),
        ])
    }

    fn names(trees: &str, tree: &str) -> Result<Vec<String>> {
        let trees = serde_json::from_str(trees).unwrap();
        Ok(resolve(&trees, &suites())?[tree].keys().cloned().collect())
    }

    #[test]
    fn follows_dependencies_but_not_what_is_excluded() {
        let trees = r#"{"a": {"packages": ["app"], "without": ["conf"]}}"#;
        assert_eq!(
            names(trees, "a").unwrap(),
            ["app", "libc", "libgcc", "postfix"]
        );
    }

    #[test]
    fn what_is_asked_for_decides_between_alternatives() {
        let trees = r#"{"a": {"packages": ["app", "exim"], "without": ["conf"]}}"#;
        assert_eq!(
            names(trees, "a").unwrap(),
            ["app", "exim", "libc", "libgcc"]
        );
    }

    #[test]
    fn does_not_repeat_the_trees_below() {
        let trees =
            r#"{"a": {"packages": ["app/newer"], "on": ["c"]}, "c": {"packages": ["libc"]}}"#;
        assert_eq!(names(trees, "a").unwrap(), ["app"]);
    }

    #[test]
    fn takes_a_package_from_the_suite_that_is_named() {
        let trees = serde_json::from_str(r#"{"a": {"packages": ["app/newer"]}}"#).unwrap();
        assert_eq!(
            resolve(&trees, &suites()).unwrap()["a"]["app"].version,
            "1:3.0~x+b1"
        );
    }

    #[test]
    fn says_which_package_of_which_tree_cannot_be_had() {
        for (packages, cause) in [
            ("broken", "broken: no package for nowhere"),
            ("absent", "absent: no such package in the index"),
            ("app/other", "app/other: unknown suite other"),
        ] {
            let trees = format!(r#"{{"a": {{"packages": ["{packages}"]}}}}"#);
            let error = names(&trees, "a").unwrap_err();
            assert_eq!(format!("{error:#}"), format!("tree a: {cause}"));
        }
    }
}
