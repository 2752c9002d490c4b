//! `sampan man`.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;
use sampan::failure::{ErrorName, Failure};

use super::cli::Arguments;
use super::output::{Output, Stream};

pub(crate) fn run(command: Option<&str>) -> Result<(), Failure> {
    let page = page(command)
        .map_err(|error| Failure::new(ErrorName::Other, format!("cannot make the manual page: {error}")))?;
    let mut output = Output::new(Stream::Stdout);
    output.write(&page);
    output.finish()
}

/// The manual page of a command, or of all.
fn page(command: Option<&str>) -> io::Result<Vec<u8>> {
    let mut all = Arguments::command();
    all.build();
    let (what, name) = match command {
        None => (all, "sampan".to_owned()),
        Some(command) => {
            // `ctl-status` is a command of `ctl`.
            let mut found = &all;
            for part in command.split('-') {
                found = found.find_subcommand(part).ok_or(io::ErrorKind::NotFound)?;
            }
            (found.clone(), format!("sampan-{command}"))
        }
    };
    let examples = what.get_before_help().map(ToString::to_string).unwrap_or_default();
    let (is_one_command, has_commands) = (command.is_some(), what.has_subcommands());
    let man = Man::new(what.display_name(&name).before_help(None::<&str>))
        .title(name.to_uppercase())
        .source(concat!("sampan ", env!("CARGO_PKG_VERSION")))
        .manual("sampan");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    write_examples(&examples, &mut page)?;
    if is_one_command {
        man.render_description_section(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    Ok(page)
}

/// Examples as they are, without their heading.
fn write_examples(examples: &str, page: &mut impl Write) -> io::Result<()> {
    writeln!(page, ".SH EXAMPLES\n.nf")?;
    for line in examples.lines().skip(1) {
        writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"))?;
    }
    writeln!(page, ".fi")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn text(command: Option<&str>) -> String {
        String::from_utf8(page(command).unwrap()).unwrap()
    }

    #[test]
    fn every_command_has_a_page_with_examples() {
        let mut all = Arguments::command();
        all.build();
        for command in all.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = command.get_name();
            let below = command.get_subcommands().map(clap::Command::get_name).filter(|&name| name != "help");
            let names = below.map(|below| format!("{name}-{below}"));
            for name in names.chain([name.to_owned()]) {
                let page = text(Some(&name));
                let title = format!(".TH SAMPAN-{} 1 ", name.to_uppercase());
                assert!(page.contains(&title) && page.contains(".SH EXAMPLES\n.nf\n\\&  "), "{page}");
                assert!(page.contains(&format!("sampan {}", name.replace('-', " "))), "{page}");
                let typed = ["sampan", "man", &name];
                assert!(Arguments::try_parse_from(typed).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn the_page_of_all_lists_the_commands() {
        let page = text(None);
        for name in ["sampan\\-serve(1)", "sampan\\-send(1)", "sampan\\-ctl(1)", "sampan\\-man(1)"] {
            assert!(page.contains(name), "{name}: {page}");
        }
        let page = text(Some("ctl"));
        assert!(page.contains("sampan\\-ctl\\-status(1)"), "{page}");
    }
}
