//! The server's user: what is done with a board that is attached.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use sampan::report::Report;
use sampan::server::{NoticeResult, PushEvent, PushOptions, Server, To, ToPush, Who};

use crate::{FIRMWARE, NODE};

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the board, tells it something, pushes the firmware to it, and looks whether it is there.
pub(crate) fn visit(
    server: &Server,
    heard: &Receiver<Report>,
    image: &[u8],
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let attached = |report| matches!(report, Report::Attached { node, .. } if node == NODE);
    while !attached(heard.recv_timeout(PATIENCE)?) {}
    println!("server: {NODE} is attached");

    let to = To::These(vec![Who::Node(NODE.into())]);
    let told = server.broadcast("a firmware is coming", &to, PATIENCE).next().ok_or("nobody was told")?;
    if told.result != NoticeResult::Taken {
        return Err(format!("{NODE} was not told: {:?}", told.result).into());
    }
    println!("server: {NODE} was told, and has said so");

    let path = folder.join(FIRMWARE);
    std::fs::write(&path, image)?;
    let options = PushOptions { parallel: 1, within: PATIENCE };
    for event in server.push(&[ToPush { path: &path, name: FIRMWARE }], &to, options)? {
        match event {
            PushEvent::Pushed(file) => println!("server: {NODE} has {}, {} bytes", file.name, file.size),
            PushEvent::Result(node) if node.error.is_some() => {
                return Err(node.message.unwrap_or_default().into());
            }
            _ => {}
        }
    }
    #[cfg(unix)]
    look(server, image, folder)?;
    Ok(())
}

/// Lists what the board has, and fetches it: through the control socket, as anybody could in another process.
#[cfg(unix)]
fn look(server: &Server, image: &[u8], folder: &Path) -> Result<(), Box<dyn Error>> {
    use sampan::Reports;
    use sampan::client::{ClientOptions, Destination, get, ls};
    use sampan::ctl::ControlSocket;
    use sampan::link::Url;

    let control = ControlSocket::start(server.everyone(), &folder.join("control"))?;
    let options = ClientOptions::new(Url::Node { control: control.path().to_owned(), node: NODE.into() });
    let (reports, told) = Reports::new();
    ls("", &options, &reports)?;
    let mut listed = Vec::new();
    for report in told.try_iter() {
        if let Report::Entry { name, size, .. } = report {
            println!("server: {NODE} lists {name}, {} bytes", size.unwrap_or(0));
            listed.push((name, size));
        }
    }
    if listed != [(FIRMWARE.to_owned(), Some(image.len() as u64))] {
        return Err("that is not what it has".into());
    }
    let fetched = folder.join("fetched.bin");
    get(&[FIRMWARE.to_owned()], &Destination::Path(fetched.clone()), &options, &reports)?;
    if std::fs::read(&fetched)? != image {
        return Err("something else has come back".into());
    }
    println!("server: {FIRMWARE} has come back from {NODE}, identical");
    Ok(())
}
