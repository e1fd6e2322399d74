//! The listening socket, its connections, and how they end.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::connection;
use super::peer::Peer;
use super::state::Shared;

/// Connections of one IPv4 address or IPv6 /64 at once (T31). Trusted proxies and loopback speak for many and have no such
/// limit.
const PER_ADDRESS: usize = 256;
/// How long accepting pauses when the process has no descriptors left. Long enough not to spin, short enough to be unseen.
const PAUSE: Duration = Duration::from_millis(50);
/// How often idle upstream connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// The part of the process's descriptors that downstream connections may take (T31): an exchange needs a second one.
const SHARE_PERCENT: usize = 40;

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    shared: Arc<Shared>,
    max: usize,
}

/// The connections that are open.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Mutex<Open>,
    /// Told whenever one closes.
    closed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    peers: HashMap<u64, Arc<Peer>>,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among the open connections; given up when it is dropped.
#[derive(Debug)]
struct Place {
    connections: Arc<Connections>,
    key: u64,
    address: Option<IpAddr>,
}

impl Listener {
    pub(super) fn new(socket: TcpListener, shared: Arc<Shared>) -> Self {
        let descriptors = descriptors().map_or(usize::MAX, |max| max / 100 * SHARE_PERCENT);
        let max = shared.limits.max_connections.min(descriptors).max(1);
        Self { socket, shared, max }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until `shutdown`, then drains for at most `window`.
    pub(super) async fn serve(self, shutdown: impl Future<Output = ()>, window: Duration) {
        let Self { socket, shared, max } = self;
        let connections = Arc::clone(&shared.connections);
        // Ends everything when this future is dropped, too.
        let guard = StopAll(Arc::clone(&connections));
        let mut shutdown = pin!(shutdown);
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                _ = sweep.tick() => {
                    shared.routes.iter().flat_map(|route| &route.upstreams).for_each(|u| u.sweep());
                }
                accepted = accept(&socket, &connections, max) => match accepted {
                    Ok((stream, address)) => connections.open(stream, address.ip(), &shared),
                    Err(error) if is_exhausted(&error) => sleep(PAUSE).await,
                    // The client was gone before it was accepted; the next one may not be.
                    Err(_) => {}
                },
            }
        }
        // No new connections: the next listener on this port, if there is one, gets them.
        drop(socket);
        shared.draining.store(true, Ordering::Relaxed);
        connections.each(Peer::wake);
        let _ = timeout(window, connections.none_left()).await;
        drop(guard);
        let deadline = Instant::now() + Duration::from_secs(1);
        let _ = tokio::time::timeout_at(deadline, connections.none_left()).await;
    }
}

/// The next connection, once there is room for one. Until then the kernel's queue holds it.
async fn accept(
    socket: &TcpListener,
    connections: &Connections,
    max: usize,
) -> io::Result<(TcpStream, SocketAddr)> {
    connections.fewer_than(max).await;
    socket.accept().await
}

/// Whether accepting failed for want of descriptors or memory: it would fail again at once.
fn is_exhausted(error: &io::Error) -> bool {
    // ENFILE, EMFILE, ENOBUFS, ENOMEM
    matches!(error.raw_os_error(), Some(23 | 24 | 105 | 12))
}

impl Connections {
    /// Serves `stream` on a task of its own, unless its address has too many already.
    fn open(self: &Arc<Self>, stream: TcpStream, ip: IpAddr, shared: &Arc<Shared>) {
        let ip = ip.to_canonical();
        let trusted = shared.listen.trusts(ip);
        let address = (!trusted && !ip.is_loopback()).then(|| network(ip));
        let peer = Peer::new(ip, trusted);
        let Some(place) = self.place(&peer, address) else { return };
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            connection::serve(stream, shared, peer).await;
            drop(place);
        });
    }

    fn place(self: &Arc<Self>, peer: &Arc<Peer>, address: Option<IpAddr>) -> Option<Place> {
        let mut open = self.open.lock();
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= PER_ADDRESS {
                return None;
            }
            *count += 1;
        }
        let key = open.next;
        open.next += 1;
        open.peers.insert(key, Arc::clone(peer));
        Some(Place { connections: Arc::clone(self), key, address })
    }

    pub(super) fn each(&self, tell: impl Fn(&Peer)) {
        let peers: Vec<_> = self.open.lock().peers.values().cloned().collect();
        peers.iter().for_each(|peer| tell(peer));
    }

    async fn none_left(&self) {
        self.fewer_than(1).await;
    }

    async fn fewer_than(&self, max: usize) {
        loop {
            let mut closed = pin!(self.closed.notified());
            // Registered before looking, so that a close in between is not missed.
            closed.as_mut().enable();
            if self.open.lock().peers.len() < max {
                return;
            }
            closed.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.peers.remove(&self.key);
        if let Some(address) = self.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        drop(open);
        self.connections.closed.notify_waiters();
    }
}

/// Ends every connection.
struct StopAll(Arc<Connections>);

impl Drop for StopAll {
    fn drop(&mut self) {
        self.0.each(Peer::stop);
    }
}

/// What counts as one client: an IPv4 address, an IPv6 /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => (u128::from(ip) & !u128::from(u64::MAX)).to_be_bytes().into(),
    }
}

/// The descriptors that this process may have, where the system says so.
fn descriptors() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_by_network() {
        for (ip, expected) in
            [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            assert_eq!(network(ip.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
        }
    }

    #[test]
    fn no_more_of_one_address_than_allowed() {
        let connections = Arc::new(Connections::default());
        let ip: IpAddr = "192.0.2.1".parse().unwrap();
        let peer = Peer::new(ip, false);
        let mut places: Vec<_> =
            (0..PER_ADDRESS).map(|_| connections.place(&peer, Some(ip)).unwrap()).collect();
        assert!(connections.place(&peer, Some(ip)).is_none());
        assert!(connections.place(&peer, None).is_some());
        places.pop();
        assert!(connections.place(&peer, Some(ip)).is_some());
        places.clear();
        assert!(connections.open.lock().by_address.is_empty());
    }
}
