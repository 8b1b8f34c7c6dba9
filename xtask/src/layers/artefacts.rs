//! What a shipped program contains: a walk over the resolved graph of normal dependencies.
//!
//! Rings look at one edge at a time; a part for development can also arrive through two harmless
//! ones, or through an optional one: what is built with a feature is walked as well. Features are
//! resolved for the whole workspace, which can only show more than a program built alone contains,
//! never less.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Context;
use cargo_metadata::{DependencyKind, Metadata};

use super::rings::{TEST_FEATURES, is_development, is_interpreter, place_of};

/// One package of the resolved graph.
pub struct Node {
    /// Package name.
    pub name: String,
    /// Folder below the workspace's root; `None` for a package from outside.
    pub folder: Option<String>,
    /// What it links, as keys of the graph.
    pub links: Vec<String>,
    /// Its features that are on when no one asks for any.
    pub features: Vec<String>,
}

/// All packages that the workspace resolves to, by package id.
pub type Graph = BTreeMap<String, Node>;

/// The graph of normal dependencies, as cargo resolved it.
pub fn graph(metadata: &Metadata) -> anyhow::Result<Graph> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata gave no resolved graph")?;

    let mut graph = Graph::new();
    for node in &resolve.nodes {
        let package = &metadata[&node.id];

        // Only normal dependencies are linked: tests of a shipped crate may use the test kit.
        let links = node
            .deps
            .iter()
            .filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|k| k.kind == DependencyKind::Normal)
            })
            .map(|dep| dep.pkg.repr.clone())
            .collect();

        // A package without a source is one of ours; it is judged by its folder, others by name.
        let folder = package
            .source
            .is_none()
            .then(|| super::folder_of(metadata, package));
        let name = package.name.to_string();
        graph.insert(
            node.id.repr.clone(),
            Node {
                name,
                folder,
                links,
                features: node.features.iter().map(ToString::to_string).collect(),
            },
        );
    }
    Ok(graph)
}

/// One line per forbidden package in `artefact`, with the path on which it arrives.
pub fn forbidden_in(graph: &Graph, artefact: &str) -> anyhow::Result<Vec<String>> {
    let start = graph
        .iter()
        .find(|(_, node)| node.name == artefact && node.folder.is_some());
    let (start, _) = start.with_context(|| format!("no package {artefact} in the workspace"))?;

    // Breadth first, so that the path shown is a shortest one.
    let mut reached_from: BTreeMap<&str, Option<&str>> = BTreeMap::from([(start.as_str(), None)]);
    let mut next = VecDeque::from([start.as_str()]);
    let mut found = Vec::new();
    while let Some(id) = next.pop_front() {
        let node = graph
            .get(id)
            .with_context(|| format!("{id} is not in the graph"))?;

        if is_forbidden(node) {
            found.push(format!("  {}", path_to(graph, &reached_from, id)));
        }

        // Each package is visited once, or the many paths to a common one would be walked again.
        for link in &node.links {
            if !reached_from.contains_key(link.as_str()) {
                reached_from.insert(link, Some(id));
                next.push_back(link);
            }
        }
    }
    Ok(found)
}

fn is_forbidden(node: &Node) -> bool {
    // One of ours without a ring counts as forbidden: it was placed nowhere, so nothing is known.
    match node.folder.as_deref() {
        Some(folder) => place_of(folder).is_none_or(is_development) || is_for_tests(node),
        None => is_interpreter(&node.name),
    }
}

fn is_for_tests(node: &Node) -> bool {
    let is_on = |feature: &str| node.features.iter().any(|on| on == feature);
    TEST_FEATURES
        .iter()
        .any(|(package, feature)| node.name == *package && is_on(feature))
}

fn path_to(graph: &Graph, reached_from: &BTreeMap<&str, Option<&str>>, id: &str) -> String {
    let mut names = Vec::new();
    let mut at = Some(id);
    while let Some(id) = at {
        names.push(graph.get(id).map_or(id, |node| node.name.as_str()));
        at = reached_from.get(id).copied().flatten();
    }
    names.reverse();
    names.join(" → ")
}
