//! What is still to be answered by PONG (§4.2, §4.3).

/// Of several PINGs only the last is answered; of a NOTICE there is never a second before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pongs {
    None,
    Ping(u32),
    Notice(u32),
    Both { ping: u32, notice: u32 },
}

impl Pongs {
    pub(super) fn ping(self, ping: u32) -> Self {
        match self {
            Self::None | Self::Ping(_) => Self::Ping(ping),
            Self::Notice(notice) | Self::Both { notice, .. } => Self::Both { ping, notice },
        }
    }

    pub(super) fn notice(self, notice: u32) -> Self {
        match self {
            Self::None | Self::Notice(_) => Self::Notice(notice),
            Self::Ping(ping) | Self::Both { ping, .. } => Self::Both { ping, notice },
        }
    }

    /// The number of the next PONG.
    pub(super) fn take(&mut self) -> Option<u32> {
        let (number, left) = match *self {
            Self::None => return None,
            Self::Ping(number) | Self::Notice(number) => (number, Self::None),
            Self::Both { ping, notice } => (ping, Self::Notice(notice)),
        };
        *self = left;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_answered_however_many_pings_come_with_it() {
        for mut pongs in [Pongs::None.ping(1).notice(2).ping(3), Pongs::None.notice(2).ping(1).ping(3)] {
            assert_eq!([pongs.take(), pongs.take(), pongs.take()], [Some(3), Some(2), None]);
        }
    }
}
