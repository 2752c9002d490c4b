//! What is printed of answers, and what they come to.

use sampan::ctl::Answer;
use sampan::failure::{ErrorName, Failure};

use crate::command::display::{Format, Style, event_line};
use crate::command::ending::Ending;
use crate::command::output::{Output, Stream, Voice};

/// Prints answers to people or programs, and counts those that are failures.
#[derive(Debug)]
pub(super) struct Results {
    style: Style,
    output: Output,
    succeeded: u64,
    errors: Vec<ErrorName>,
}

impl Results {
    pub(super) fn new(style: Style) -> Self {
        Self::to(Output::new(Stream::Stdout), style)
    }

    pub(super) fn to(output: Output, style: Style) -> Self {
        Self { style, output, succeeded: 0, errors: Vec::new() }
    }

    /// Tells of an answer, in these words or as an event, if it is to be heard at this voice.
    pub(super) fn tell(&mut self, answer: &Answer, from: Voice, words: impl FnOnce() -> String) {
        match self.style.format {
            Format::Json(_) if self.style.voice > Voice::Quiet || from == Voice::Quiet => {
                self.output.write(event_line(answer).as_bytes());
            }
            Format::People if self.style.voice >= from => {
                let mut line = words();
                line.push('\n');
                self.output.write(line.as_bytes());
            }
            _ => {}
        }
    }

    /// Tells programs alone.
    pub(super) fn event(&mut self, answer: &Answer) {
        if let Format::Json(_) = self.style.format {
            self.tell(answer, Voice::Normal, String::new);
        }
    }

    /// A line of what was asked for, which is printed whatever the voice.
    pub(super) fn print(&mut self, line: &str) {
        self.output.write(format!("{line}\n").as_bytes());
    }

    /// The same of what has succeeded, or failed with this error.
    pub(super) fn count(
        &mut self,
        answer: &Answer,
        error: Option<ErrorName>,
        words: impl FnOnce() -> String,
    ) {
        match error {
            None => self.succeeded += 1,
            Some(error) => self.errors.push(error),
        }
        self.tell(answer, if error.is_some() { Voice::Quiet } else { Voice::Normal }, words);
    }

    /// So many more have failed with this error, of which there is no answer.
    pub(super) fn count_failed(&mut self, error: ErrorName, number: u64) {
        self.errors.extend((0..number).map(|_| error));
    }

    pub(super) fn is_unread(&self) -> bool {
        self.output.is_gone()
    }

    /// How the command ends: where all failed alike, with their own error.
    pub(super) fn end(self) -> Result<(), Ending> {
        self.output.finish()?;
        match self.errors.split_first() {
            None => Ok(()),
            Some((first, rest)) if self.succeeded == 0 && rest.iter().all(|error| error == first) => {
                Err(Ending::Said(*first))
            }
            Some(_) => Err(Ending::Said(ErrorName::SomeFailed)),
        }
    }

    /// The same after a failure, which has its own words; whoever reads no further has what he wanted.
    pub(super) fn end_after(self, result: Result<(), Failure>) -> Result<(), Ending> {
        let is_unread = self.is_unread();
        match result {
            Ok(()) => self.end(),
            Err(_) if is_unread => Ok(()),
            Err(failure) => {
                self.output.finish()?;
                Err(failure.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::display::{Progress, Role};
    use crate::command::output::memory::Memory;

    fn results(voice: Voice, format: Format) -> (Results, Memory) {
        let memory = Memory::default();
        let style = Style { role: Role::Client, voice, format, progress: Progress::Hidden };
        (Results::to(memory.output(), style), memory)
    }

    #[test]
    fn quiet_leaves_failures_in_words_and_as_events() {
        for (format, failed) in
            [(Format::People, "no\n"), (Format::Json(Stream::Stdout), "{\"v\":1,\"event\":\"drained\"}\n")]
        {
            let (mut results, memory) = results(Voice::Quiet, format);
            results.count(&Answer::Drained, None, || "yes".to_owned());
            assert_eq!(memory.take(), "");
            results.count(&Answer::Drained, Some(ErrorName::Timeout), || "no".to_owned());
            assert_eq!(memory.take(), failed);
        }
    }

    #[test]
    fn where_all_failed_alike_their_own_error_counts() {
        let ended = |errors: &[Option<ErrorName>]| {
            let (mut results, _) = results(Voice::Normal, Format::People);
            errors.iter().for_each(|error| results.count(&Answer::Drained, *error, String::new));
            results.end()
        };
        let (lost, late) = (Some(ErrorName::LinkLost), Some(ErrorName::Timeout));
        assert_eq!(ended(&[None, None]), Ok(()));
        assert_eq!(ended(&[lost, lost]), Err(Ending::Said(ErrorName::LinkLost)));
        assert_eq!(ended(&[lost, late]), Err(Ending::Said(ErrorName::SomeFailed)));
        assert_eq!(ended(&[lost, None]), Err(Ending::Said(ErrorName::SomeFailed)));
    }
}
