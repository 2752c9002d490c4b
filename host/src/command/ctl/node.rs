//! `sampan ctl get` and `sampan ctl ls`: what one node has, through the server.

use sampan::client::ls as list;
use sampan::failure::{ErrorName, Failure};
use sampan::link::Url;

use super::Server;
use crate::command::cli::ctl::{NodeGetArguments, NodeLsArguments};
use crate::command::display::Style;
use crate::command::ending::Ending;
use crate::command::get::fetch_from;
use crate::command::values::AtNode;
use crate::command::work;

pub(super) fn get(server: &Server<'_>, arguments: &NodeGetArguments, style: Style) -> Result<(), Ending> {
    arguments.fetch.check(arguments.names.len())?;
    let node = one_node(&arguments.names)?;
    let names: Vec<String> = arguments.names.iter().map(|at| at.name.clone()).collect();
    let url = url(server, node)?;
    fetch_from(url, server.stop.clone(), &names, &arguments.fetch, style)
}

pub(super) fn ls(server: &Server<'_>, arguments: &NodeLsArguments, style: Style) -> Result<(), Ending> {
    let AtNode { node, name } = &arguments.prefix;
    let options = work::options(url(server, node)?, &arguments.link, None, server.stop.clone());
    work::show(style, &options.stop, |reports| list(name, &options, reports))
}

fn url(server: &Server<'_>, node: &str) -> Result<Url, Failure> {
    Ok(Url::Node { control: server.control()?, node: node.to_owned() })
}

/// The node that all of these are at.
fn one_node(names: &[AtNode]) -> Result<&str, Failure> {
    let usage = |what: String| Failure::new(ErrorName::Usage, what);
    let first = names.first().ok_or_else(|| usage("nothing is named".to_owned()))?;
    if let Some(other) = names.iter().find(|at| at.node != first.node) {
        let what = format!("{} and {} are two nodes", first.node, other.node);
        return Err(usage(what).with_advice("fetch from one after the other"));
    }
    if names.iter().any(|at| at.name.is_empty()) {
        let what = format!("nothing of {} is named", first.node);
        return Err(usage(what).with_advice("see what it has with: sampan ctl ls NODE"));
    }
    Ok(&first.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_one_node() {
        let at = |typed: &[&str]| {
            let names: Vec<AtNode> = typed.iter().map(|typed| typed.parse().unwrap()).collect();
            one_node(&names).map(str::to_owned).map_err(|failure| failure.error)
        };
        assert_eq!(at(&["boat:a", "boat:b"]), Ok("boat".to_owned()));
        assert_eq!(at(&["boat:a", "ship:a"]), Err(ErrorName::Usage));
        assert_eq!(at(&["boat:"]), Err(ErrorName::Usage));
    }
}
