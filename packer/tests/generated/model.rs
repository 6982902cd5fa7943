//! A model of the extracted files, if no other process changes them.

use crate::extraction::is_root;
use crate::images::*;
use rustix::process::{getegid, geteuid};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const TYPE: u32 = 0o170000;
const SET_ID: u32 = 0o6000;

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// With the file type. A symbolic link has no permission bits.
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: u32,
    pub rdev: (u32, u32),
    /// For a symbolic link, the target.
    pub contents: Vec<u8>,
}

pub struct Model {
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    /// The first names of the files in the current archive.
    links: HashMap<(u32, u32), String>,
    can_make_devices: bool,
}

/// The extraction reports the entry.
struct Reported;

impl Model {
    pub fn new(can_make_devices: bool) -> Self {
        Self {
            nodes: Vec::new(),
            names: BTreeMap::new(),
            links: HashMap::new(),
            can_make_devices,
        }
    }

    pub fn end_archive(&mut self) {
        self.links.clear();
    }

    /// The files by path, with all paths of each file.
    pub fn tree(&self) -> BTreeMap<String, (Node, BTreeSet<String>)> {
        let names = |node| {
            let same = self.names.iter().filter(move |(_, other)| **other == node);
            same.map(|(path, _)| path.clone()).collect()
        };
        let found = |(path, &node): (&String, &usize)| {
            (path.clone(), (self.nodes[node].clone(), names(node)))
        };
        self.names.iter().map(found).collect()
    }

    /// Extracts an entry. Returns whether the extraction reports it.
    pub fn entry(&mut self, entry: &E) -> bool {
        self.extract(entry).is_err()
    }

    fn extract(&mut self, entry: &E) -> Result<(), Reported> {
        let raw = String::from_utf8(entry.path.clone()).unwrap();
        let raw = raw.split('\0').next().unwrap();
        let file_type = entry.mode & TYPE;
        let last = raw.rsplit('/').next().unwrap();
        if file_type != DIR && matches!(last, "" | "." | "..") {
            return Err(Reported);
        }
        let parts: Vec<_> = raw
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let path = format!("/{}", parts.join("/"));
        let mut first = None;
        if entry.nlink > 1 && !matches!(file_type, DIR | LINK) {
            let link = (entry.ino, file_type);
            first = self.links.get(&link).cloned();
            self.links.entry(link).or_insert_with(|| path.clone());
        }
        if !parts.is_empty() {
            self.parents(&path)?;
        }
        let present = self.names.get(&path).copied();
        let present_type = present.map(|node| self.nodes[node].mode & TYPE);

        if let Some(first) = first {
            if first == path {
                return Err(Reported);
            }
            self.clear(&path)?;
            self.parents(&first)?;
            let node = *self.names.get(&first).ok_or(Reported)?;
            if self.nodes[node].mode & TYPE != file_type {
                return Err(Reported);
            }
            self.names.insert(path, node);
            if file_type == FILE {
                if !entry.contents.is_empty() {
                    self.nodes[node].contents = entry.contents.clone();
                }
                self.set(node, entry, entry.mtime);
            }
            return Ok(());
        }
        if present_type == Some(file_type) && file_type != LINK {
            let node = present.unwrap();
            let mut mtime = entry.mtime;
            match file_type {
                DIR => mtime = self.nodes[node].mtime,
                FILE => self.nodes[node].contents = entry.contents.clone(),
                _ => {}
            }
            self.set(node, entry, mtime);
            return Ok(());
        }
        self.clear(&path)?;
        if matches!(file_type, CHAR | BLOCK) && !self.can_make_devices {
            return Err(Reported);
        }
        self.nodes.push(Node {
            mode: file_type,
            owner: (geteuid().as_raw(), getegid().as_raw()),
            mtime: 0,
            rdev: entry.rdev,
            contents: entry.contents.clone(),
        });
        let node = self.nodes.len() - 1;
        self.names.insert(path, node);
        self.set(node, entry, entry.mtime);
        Ok(())
    }

    fn parents(&self, path: &str) -> Result<(), Reported> {
        if path.split('/').any(|part| part == "..") {
            return Err(Reported);
        }
        for (end, _) in path.match_indices('/').skip(1) {
            let node = *self.names.get(&path[..end]).ok_or(Reported)?;
            if self.nodes[node].mode & TYPE != DIR {
                return Err(Reported);
            }
        }
        Ok(())
    }

    fn clear(&mut self, path: &str) -> Result<(), Reported> {
        let below = format!("{path}/");
        if self.names.keys().any(|name| name.starts_with(&below)) {
            return Err(Reported);
        }
        self.names.remove(path);
        Ok(())
    }

    fn set(&mut self, node: usize, entry: &E, mtime: u32) {
        let node = &mut self.nodes[node];
        node.mtime = mtime;
        let mut mode = entry.mode & 0o7777;
        if is_root() {
            let id = |id, present| if id == u32::MAX { present } else { id };
            node.owner = (id(entry.uid, node.owner.0), id(entry.gid, node.owner.1));
        } else {
            mode &= !SET_ID;
        }
        if node.mode & TYPE != LINK {
            node.mode = (node.mode & TYPE) | mode;
        }
    }
}
