//! `docs/openapi.json`: the contract, its routes, and that answers keep it.

use crate::fixture::{Request, Served, TENANT};
use serde_json::{Map, Value};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

fn description() -> Value {
    serde_json::from_str(&strongroom_api::openapi::text().unwrap()).unwrap()
}

#[test]
fn the_openapi_text_does_not_change() {
    let made = strongroom_api::openapi::text().unwrap() + "\n";
    strongroom_golden::snapshot(FILE, &made);
}

#[test]
fn the_description_has_exactly_the_methods_that_are_served() {
    let served = Served::new();
    for (path, item) in description()["paths"].as_object().unwrap() {
        let path = path.replace("{seq}", "0").replace("{place}", "0-0");
        for (name, method) in [
            ("get", "GET"),
            ("post", "POST"),
            ("put", "PUT"),
            ("patch", "PATCH"),
            ("delete", "DELETE"),
        ] {
            let answer = served.raw(&Request {
                method,
                path: &path,
                key: Some(TENANT),
                body: Some(""),
            });
            let described = item.get(name).is_some();
            assert_eq!(answer.status != 405, described, "{method} {path}");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let description = description();
    let items = description["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<_> = operations
        .map(|o| o["operationId"].as_str().unwrap())
        .collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}

/// Every golden answer against the schema of its operation: no member too few, none too many, each
/// of the type that the schema says.
#[test]
fn golden_answers_keep_the_schema() {
    let description = description();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut checked = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for exchange in text
            .split("\n\n")
            .filter(|block| block.contains("json -\n") || block.contains("json /v1"))
        {
            let lines: Vec<&str> = exchange.trim_start().lines().collect();
            let (request, status, body) = (lines[1], lines[2], lines[3]);
            let Some(schema) = schema_of(&description, request, status) else {
                continue;
            };
            let body: Value = serde_json::from_str(body).unwrap();
            if let Err(why) = check(&description, schema, &body) {
                panic!("{request}: {why}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} golden answers were checked");
}

/// The schema of an answer; `None` for a path that does not exist.
fn schema_of<'a>(description: &'a Value, request: &str, status: &str) -> Option<&'a Value> {
    let mut words = request.split(' ').skip(1);
    let (method, path) = (words.next()?.to_lowercase(), words.next()?);
    let path = path.split('?').next()?;
    let parts: Vec<&str> = path.split('/').collect();
    let (_, item) = description["paths"]
        .as_object()?
        .iter()
        .find(|(known, _)| {
            let known: Vec<&str> = known.split('/').collect();
            known.len() == parts.len()
                && known
                    .iter()
                    .zip(&parts)
                    .all(|(known, part)| known.starts_with('{') || known == part)
        })?;
    let status = status.split(' ').nth(1)?;
    let responses = item.get(method)?["responses"].as_object()?;
    let response = responses
        .get(status)
        .unwrap_or_else(|| &responses["default"]);
    let (_, content) = response["content"].as_object()?.iter().next()?;
    Some(&content["schema"])
}

fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = name.trim_start_matches('#');
        return check(root, root.pointer(pointer).ok_or(name)?, value);
    }
    if let Some(any) = schema.get("oneOf").and_then(Value::as_array) {
        let fits = any.iter().any(|one| check(root, one, value).is_ok());
        return fits
            .then_some(())
            .ok_or_else(|| format!("{value} is none of {any:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        other => return Err(format!("no type: {other} in {schema}")),
    };
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&name) {
        return Err(format!("{value} is not one of {types:?}"));
    }
    if let (Some(words), Value::String(_)) = (schema["enum"].as_array(), value)
        && !words.contains(value)
    {
        return Err(format!("{value} is not one of {words:?}"));
    }
    match value {
        Value::Array(rows) => rows
            .iter()
            .try_for_each(|row| check(root, &schema["items"], row)),
        Value::Object(members) => check_members(root, schema, members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_members(root: &Value, schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    let properties = schema["properties"].as_object().ok_or("no properties")?;
    let required = schema["required"].as_array().ok_or("nothing required")?;
    // An absent value is `null`, never a missing member.
    for name in properties.keys() {
        if !members.contains_key(name) || !required.contains(&name.as_str().into()) {
            return Err(format!("member {name} is missing or not required"));
        }
    }
    for (name, value) in members {
        let schema = properties
            .get(name)
            .ok_or_else(|| format!("member {name} is not described"))?;
        check(root, schema, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}
