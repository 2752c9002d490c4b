//! `sampan completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;
use sampan::failure::Failure;

use super::cli::Arguments;
use super::output::{Output, Stream};

pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    let mut output = Output::new(Stream::Stdout);
    output.write(&completions(shell));
    output.finish()
}

fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "sampan", &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_shell_learns_every_command() {
        for &shell in Shell::value_variants() {
            let text = String::from_utf8(completions(shell)).unwrap();
            for word in
                ["serve", "send", "get", "ls", "attach", "ctl", "disconnect", "man", "limit-rate", "parallel"]
            {
                assert!(text.contains(word), "{shell} {word}");
            }
        }
    }
}
