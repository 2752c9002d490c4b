//! Whom something is for.

use std::fmt;

use sampan_core::wire::NodeName;

use crate::failure::{ErrorName, Failure};

/// Everybody, or some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Everybody who is connected; of a push, every node that is attached.
    All,
    /// These.
    These(Vec<Who>),
}

/// One of those who are connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The node of this name.
    Node(String),
    /// The connection with this number.
    Connection(u64),
}

impl To {
    /// What was typed: `all`, names of nodes, and `#ID` (`docs/cli.md` §12).
    ///
    /// # Errors
    ///
    /// [`ErrorName::Usage`] if one of them is none of these, or there are none.
    pub fn parse(typed: &[String]) -> Result<Self, Failure> {
        if typed.iter().any(|who| who == "all") {
            return Ok(Self::All);
        }
        if typed.is_empty() {
            return Err(Failure::new(ErrorName::Usage, "nobody is named").with_advice("name nodes, or all"));
        }
        typed.iter().map(|who| Who::parse(who)).collect::<Result<_, _>>().map(Self::These)
    }
}

impl Who {
    fn parse(typed: &str) -> Result<Self, Failure> {
        let who = match typed.strip_prefix('#') {
            Some(number) => number.parse().ok().map(Self::Connection),
            None => NodeName::new(typed)
                .ok()
                .filter(|name| !name.as_str().is_empty())
                .map(|_| Self::Node(typed.into())),
        };
        who.ok_or_else(|| {
            Failure::new(ErrorName::Usage, format!("{typed:?} is neither the name of a node nor #ID"))
                .with_advice("see who is connected with: sampan ctl status")
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => f.write_str(name),
            Self::Connection(id) => write!(f, "#{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_means_nodes_connections_or_all() {
        let parse =
            |typed: &[&str]| To::parse(&typed.iter().map(|who| (*who).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&["boat", "all"]), Ok(To::All));
        let these = vec![Who::Node("boat-1".into()), Who::Connection(12)];
        assert_eq!(parse(&["boat-1", "#12"]), Ok(To::These(these)));
        for wrong in ["", "#", "#x", "a b", "ALL", "a:b"] {
            assert_eq!(parse(&[wrong]).unwrap_err().error, ErrorName::Usage, "{wrong:?}");
        }
        assert!(parse(&[]).is_err());
    }
}
