//! The JSON forms of a graph.

use super::nar::{Nar, parse_sha256};
use super::{Object, Objects, add, store_path};
use crate::escape::escape;
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

/// Parses a graph in any of the JSON forms.
pub(super) fn parse(bytes: &[u8]) -> Result<Objects, String> {
    let json = serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?;
    let mut objects = Objects::new();
    match json {
        Value::Array(array) => from_array(&array, &mut objects)?,
        Value::Object(fields) => match (fields.get("exportReferencesGraph"), fields.get("info")) {
            (Some(graphs), _) => from_attrs(graphs, &fields, &mut objects)?,
            (None, Some(info)) => {
                let info = info.as_object().ok_or("`info` is not an object")?;
                from_map(info, text(&fields, "storeDir")?, &mut objects)?;
            }
            (None, None) => from_map(&fields, "", &mut objects)?,
        },
        _ => return Err("is neither an array nor an object".into()),
    }
    Ok(objects)
}

/// Parses the attributes of a derivation. For every name in `exportReferencesGraph`, Nix writes the graph to
/// the attribute with that name.
fn from_attrs(graphs: &Value, attrs: &Fields, objects: &mut Objects) -> Result<(), String> {
    let names = graphs
        .as_object()
        .ok_or("`exportReferencesGraph` is not an object")?;
    for name in names.keys() {
        let graph = attrs.get(name).and_then(Value::as_array);
        let graph = graph.ok_or_else(|| {
            format!(
                "`{}` is not an array, so not a graph",
                escape(name.as_bytes())
            )
        })?;
        from_array(graph, objects)?;
    }
    Ok(())
}

fn from_array(array: &[Value], objects: &mut Objects) -> Result<(), String> {
    for fields in array {
        let fields = fields.as_object().ok_or("an element is not an object")?;
        insert(text(fields, "path")?, fields, "", objects)?;
    }
    Ok(())
}

/// Parses an object with the paths as keys. `store` is the store directory if the keys are only the last
/// parts of the paths, or empty.
fn from_map(map: &Fields, store: &str, objects: &mut Objects) -> Result<(), String> {
    for (name, fields) in map {
        match fields {
            Value::Object(fields) => insert(name, fields, store, objects)?,
            Value::Null => return Err(invalid(name)),
            // From 2.33 on, these fields may be among the paths.
            _ if name == "version" || name == "storeDir" => {}
            _ => return Err(format!("`{}` is not an object", escape(name.as_bytes()))),
        }
    }
    Ok(())
}

fn insert(path: &str, fields: &Fields, store: &str, objects: &mut Objects) -> Result<(), String> {
    // For a path that is not valid, old versions of Nix write this, and new versions write `null`.
    if fields.get("valid") == Some(&Value::Bool(false)) {
        return Err(invalid(path));
    }
    let path = whole(path, store)?;
    let of = |reason| format!("{}: {reason}", escape(path.as_bytes()));
    let object = object(fields, store).map_err(of)?;
    add(objects, path, object)
}

fn object(fields: &Fields, store: &str) -> Result<Object, String> {
    let references = fields.get("references").and_then(Value::as_array);
    let references = references
        .ok_or("`references` is not an array")?
        .iter()
        .map(|path| whole(path.as_str().ok_or("a reference is not a string")?, store))
        .collect::<Result<_, _>>()?;
    let hash = text(fields, "narHash")?;
    let sha256 = parse_sha256(hash)
        .ok_or_else(|| format!("`{}` is not a SHA-256", escape(hash.as_bytes())))?;
    let size = fields.get("narSize").and_then(Value::as_u64);
    let size = size.ok_or("`narSize` is not a number of bytes")?;
    let nar = Some(Nar { sha256, size });
    Ok(Object { references, nar })
}

fn text<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, String> {
    let text = fields.get(name).and_then(Value::as_str);
    text.ok_or_else(|| format!("`{name}` is not a string"))
}

fn whole(path: &str, store: &str) -> Result<String, String> {
    let path = match store {
        "" => path.to_owned(),
        store => format!("{store}/{path}"),
    };
    store_path::split(path.as_bytes())?;
    Ok(path)
}

fn invalid(path: &str) -> String {
    let path = escape(path.as_bytes());
    format!("{path} was not in the store when the graph was written")
}
