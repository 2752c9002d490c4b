//! `sampan serve`.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use sampan::ctl::{ControlSocket, default_path};
use sampan::failure::{ErrorName, Failure};
use sampan::link::Url;
use sampan::report::Report;
use sampan::server::{Allow, Server, ServerOptions};
use sampan::stop::Stop;
use sampan::store::{Names, Store, StoreOptions};

use super::cli::ServeArguments;
use super::cli::serve::Permission;
use super::display::{Display, Style};
use super::ending::Ending;
use super::limits::{allow_many_files, give_memory_back, trim_memory};
use super::output::{Voice, complain};
use super::work::Told;
use super::{stop_at_signals, work};

/// When nothing has happened for so long, memory that is not used is given back.
const QUIET: Duration = Duration::from_secs(1);
/// How often an interruption is noticed.
const TICK: Duration = Duration::from_millis(50);
/// How long the last reports may take to be read.
const FAREWELL: Duration = Duration::from_secs(1);

pub(crate) fn run(arguments: &ServeArguments, style: Style) -> Result<(), Ending> {
    let options = options(arguments)?;
    give_memory_back();
    allow_many_files();
    let stop = stop_at_signals()?;
    let store = StoreOptions {
        names: if arguments.portable_names { Names::Portable } else { Names::Valid },
        max_file_size: arguments.max_file_size.map(|size| size.0),
        ..StoreOptions::default()
    };
    let open = options.listen.iter().any(|url| !url.is_local());
    let store = Store::open(&arguments.directory, store).map_err(Failure::from)?;
    let place = Place::of(arguments.control.as_deref(), &options.listen)?;
    let (server, reports) = Server::start(store, options)?;
    let control = place.open(&server, style.voice)?;
    if open && style.voice != Voice::Quiet {
        complain(format_args!(
            "sampan: nobody is authenticated and nothing is encrypted: whoever reaches this server may do what --allow says"
        ));
    }
    let (shown, all_shown) = channel();
    thread::Builder::new()
        .name("display".into())
        .spawn(move || {
            let _ = shown.send(show(&reports, Display::new(style)));
        })
        .map_err(|error| Failure::new(ErrorName::Other, error.to_string()))?;
    watch((server, control), &stop, &all_shown)?;
    Ok(())
}

/// Until the server has ended, because it was asked to or by itself, and that was shown. Who does not read what is shown keeps nobody
/// from stopping it.
fn watch(
    (server, control): (Server, Option<ControlSocket>),
    stop: &Stop,
    all_shown: &Receiver<Result<(), Failure>>,
) -> Result<(), Failure> {
    while !server.has_stopped() {
        thread::sleep(TICK);
        if stop.is_asked() {
            server.ask_to_stop();
        }
        let lost = server.lost_reports();
        if lost > 0 {
            complain(format_args!("sampan: {lost} reports were lost, since nobody has read them in time"));
        }
    }
    drop(control);
    server.stop();
    if stop.is_asked() {
        return all_shown.recv_timeout(FAREWELL).unwrap_or(Ok(()));
    }
    all_shown.recv().unwrap_or(Ok(()))
}

/// Shows what there is to be shown, and gives memory back when it is quiet.
fn show(reports: &Receiver<Report>, mut display: Display) -> Result<(), Failure> {
    let mut trimmed = true;
    let mut heard_at = Instant::now();
    loop {
        match work::show_some(reports, &mut display) {
            Told::Everything => return display.finish(),
            Told::Something => (trimmed, heard_at) = (false, Instant::now()),
            Told::Nothing if !trimmed && heard_at.elapsed() >= QUIET => {
                trimmed = true;
                trim_memory();
            }
            Told::Nothing => {}
        }
    }
}

/// Where the control socket is to be.
enum Place {
    None,
    Default,
    Path(PathBuf),
}

impl Place {
    fn of(typed: Option<&str>, listen: &[Url]) -> Result<Self, Failure> {
        match typed {
            None if !listen.is_empty() && listen.iter().all(|url| *url == Url::Stdio) => Ok(Self::None),
            None => Ok(Self::Default),
            Some("none") => Ok(Self::None),
            Some(typed) => match work::url(typed)? {
                Url::Unix(path) => Ok(Self::Path(path)),
                _ => Err(Failure::new(ErrorName::Usage, format!("{typed:?} cannot be a control socket"))
                    .with_advice("use unix:PATH, or none")),
            },
        }
    }

    /// Makes it. A server that was not asked for one goes on without.
    fn open(self, server: &Server, voice: Voice) -> Result<Option<ControlSocket>, Failure> {
        let open = |path: &Path| ControlSocket::start(server.everyone(), path);
        let result = match self {
            Self::None => return Ok(None),
            Self::Path(path) => return open(&path).map(Some),
            Self::Default => default_path()
                .map_err(|error| {
                    Failure::new(ErrorName::Connect, format!("no place for a control socket: {error}"))
                })
                .and_then(|path| open(&path)),
        };
        match result {
            Ok(socket) => Ok(Some(socket)),
            Err(failure) => {
                if voice != Voice::Quiet {
                    complain(format_args!("sampan: {failure}; sampan ctl cannot reach this server"));
                }
                Ok(None)
            }
        }
    }
}

fn options(arguments: &ServeArguments) -> Result<ServerOptions, Failure> {
    let listen = arguments.listen.iter().map(|typed| work::url(typed)).collect::<Result<Vec<Url>, _>>()?;
    let allow = arguments.allow.as_ref().map(|permissions| {
        let has = |permission| permissions.contains(&permission);
        Allow {
            put: has(Permission::Put),
            get: has(Permission::Get),
            list: has(Permission::List),
            classic: has(Permission::Classic),
            attach: has(Permission::Attach),
        }
    });
    Ok(ServerOptions {
        listen,
        allow,
        on_conflict: arguments.on_conflict.map(Into::into),
        digest: arguments.digest.into(),
        max_connections: arguments.max_connections as usize,
        handshake: arguments.handshake_timeout.0,
        idle: arguments.idle_timeout.0.into(),
        min_rate: arguments.min_rate.0,
        ..ServerOptions::default()
    })
}
