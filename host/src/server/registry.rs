//! Who is connected.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{ConnectionStatus, To, Who};
use crate::control::{Control, Order};
use crate::serving::{Desk, Figures};

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
    changed: Condvar,
    draining: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// How many have come so far.
    last: u64,
    members: BTreeMap<u64, Arc<Member>>,
    nodes: HashMap<String, u64>,
    /// What those who have gone had moved.
    gone: (u64, u64),
}

/// One of the connected.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u64,
    pub(super) peer: String,
    pub(super) desk: Arc<Desk>,
    since: f64,
    node: Mutex<Option<String>>,
}

impl Member {
    pub(super) fn node(&self) -> Option<String> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn called(&self, name: &str) {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_owned());
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        let Figures { received, sent, receive_rate, send_rate, transfers } = self.desk.gauge.figures();
        ConnectionStatus {
            id: self.id,
            node: self.node(),
            peer: self.peer.clone(),
            protocol: self.desk.protocol(),
            since: self.since,
            received,
            sent,
            receive_rate,
            send_rate,
            transfers,
        }
    }
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody is taken any more.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// From now on nobody is taken any more.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> usize {
        self.state().members.len()
    }

    pub(super) fn add(&self, control: Arc<Control>, peer: String) -> Arc<Member> {
        let desk = Arc::new(Desk::new(control));
        let mut state = self.state();
        state.last += 1;
        let (id, since) = (state.last, seconds(SystemTime::now()));
        let member = Arc::new(Member { id, peer, desk, since, node: Mutex::default() });
        state.members.insert(id, Arc::clone(&member));
        member
    }

    /// It has gone: the name of the node, if it still was one.
    pub(super) fn remove(&self, member: &Member) -> Option<String> {
        member.desk.close();
        let Figures { received, sent, .. } = member.desk.gauge.figures();
        let mut state = self.state();
        state.members.remove(&member.id);
        state.gone = (state.gone.0 + received, state.gone.1 + sent);
        let name = member.node().filter(|name| state.nodes.get(name) == Some(&member.id));
        if let Some(name) = &name {
            state.nodes.remove(name);
        }
        drop(state);
        self.changed.notify_all();
        name
    }

    /// It stays, as a node of this name; without one it gets one. Who had the name before has to go.
    pub(super) fn attach(&self, member: &Arc<Member>, name: &str) -> String {
        let name = if name.is_empty() { format!("node-{}", member.id) } else { name.to_owned() };
        let mut state = self.state();
        if let Some(before) = member.node().filter(|before| state.nodes.get(before) == Some(&member.id)) {
            state.nodes.remove(&before);
        }
        let displaced =
            state.nodes.insert(name.clone(), member.id).and_then(|id| state.members.get(&id).cloned());
        member.called(&name);
        drop(state);
        if let Some(displaced) = displaced {
            displaced.desk.control.ask(Order::Displaced);
        }
        name
    }

    pub(super) fn members(&self) -> Vec<Arc<Member>> {
        self.state().members.values().cloned().collect()
    }

    /// The node of this name. One whose session has ended is none any more.
    pub(super) fn node(&self, name: &str) -> Option<Arc<Member>> {
        let state = self.state();
        state.members.get(state.nodes.get(name)?).filter(|member| !member.desk.is_closed()).cloned()
    }

    /// Those that are meant, and the names and numbers of those that are not here.
    pub(super) fn find(&self, to: &To) -> (Vec<Arc<Member>>, Vec<Who>) {
        let To::These(these) = to else { return (self.members(), Vec::new()) };
        let (mut found, mut absent) = (BTreeMap::new(), Vec::new());
        for who in these {
            let member = match who {
                Who::Node(name) => self.node(name),
                Who::Connection(id) => self.state().members.get(id).cloned(),
            };
            match member {
                Some(member) => drop(found.insert(member.id, member)),
                None if absent.contains(who) => {}
                None => absent.push(who.clone()),
            }
        }
        (found.into_values().collect(), absent)
    }

    /// How much those who have gone had moved.
    pub(super) fn gone(&self) -> (u64, u64) {
        self.state().gone
    }

    /// Asks everybody for something.
    pub(super) fn ask_all(&self, order: Order) {
        for member in self.state().members.values() {
            member.desk.control.ask(order);
        }
    }

    /// Waits until nobody is connected, but no longer than this; whether nobody is.
    pub(super) fn wait_until_empty(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut state = self.state();
        while !state.members.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Since 1970.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Waker;

    fn add(registry: &Registry) -> Arc<Member> {
        registry.add(Arc::new(Control::new(Waker::new().unwrap())), "unix".into())
    }

    #[test]
    fn the_newer_of_two_nodes_of_a_name_stays() {
        let registry = Registry::default();
        let (first, second) = (add(&registry), add(&registry));
        assert_eq!(registry.attach(&first, "boat"), "boat");
        assert_eq!(registry.attach(&second, "boat"), "boat");
        assert_eq!(first.desk.control.order(), Order::Displaced);
        assert_eq!(registry.remove(&first), None);
        assert_eq!(registry.node("boat").map(|member| member.id), Some(2));
        second.desk.close();
        assert!(registry.node("boat").is_none(), "its session has ended");
        assert_eq!(registry.remove(&second), Some("boat".into()));
        assert!(registry.node("boat").is_none() && registry.count() == 0);
    }

    #[test]
    fn a_node_may_take_another_name_and_one_without_gets_one() {
        let registry = Registry::default();
        let member = add(&registry);
        assert_eq!(registry.attach(&member, ""), "node-1");
        assert_eq!(registry.attach(&member, "boat"), "boat");
        assert!(registry.node("node-1").is_none());
        assert_eq!(member.desk.control.order(), Order::GoOn);
        assert_eq!(member.status().node.as_deref(), Some("boat"));
    }

    #[test]
    fn whoever_is_meant_is_found_once() {
        let registry = Registry::default();
        let member = add(&registry);
        registry.attach(&member, "boat");
        let absent = Who::Node("ship".into());
        let these = [Who::Node("boat".into()), Who::Connection(1), absent.clone(), absent.clone()];
        let (found, missing) = registry.find(&To::These(these.into()));
        assert_eq!((found.len(), missing), (1, vec![absent]));
        assert_eq!(registry.find(&To::All).0.len(), 1);
    }
}
