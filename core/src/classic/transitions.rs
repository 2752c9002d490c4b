//! The states of either side, and every step from one to another: the only place where a state changes (§14.2, §14.3).

use core::fmt;

use crate::session::transitions::transitions;

transitions! {
    /// States of the side that takes a file (§14.2).
    ReceiverState {
        /// Not a byte has come.
        Name,
        /// Some of the name has come; what follows within 50 ms belongs to it.
        MoreName,
        /// The name is good; the size is awaited.
        Size,
        /// Some of the size has come; what follows within 50 ms belongs to it.
        MoreSize,
        /// Name and size are known: the storage decides.
        Deciding,
        /// Bytes are awaited or being stored.
        Receiving,
        /// All announced bytes are stored: the end of the stream, or a second of silence, is awaited.
        Full,
        /// That came: the storage is to commit.
        Complete,
        /// The storage commits.
        Committing,
        /// The storage has committed, and is to give the words of a notice.
        Saying,
        /// The last reply is on its way out.
        Finishing,
        /// A refusal is on its way out.
        Refusing,
        /// What the client still sends is dropped, so that it can read the refusal.
        Draining,
        /// It is over.
        Closed,
    }
    /// What happens to the side that takes a file.
    ReceiverEvent {
        /// The first bytes of a message came.
        Bytes,
        /// The name is over, and good.
        NameEnds,
        /// The size is over, or the stream after it.
        SizeEnds,
        /// The storage takes the file.
        Accept,
        /// The last announced byte is stored.
        AllBytes,
        /// The stream ended, or was silent for a second.
        StreamEnds,
        /// The storage was asked to commit.
        Commit,
        /// It has, and no notice waits.
        Committed,
        /// It has, and a notice waits.
        Notice,
        /// The notice has its words.
        Said,
        /// A rule was broken, the storage refused, a deadline passed, the link was lost.
        Refuse,
        /// The refusal is sent, and the client may still be sending.
        Drain,
        /// What was to be sent is sent, or cannot be.
        Over,
    }
    Name + Bytes => MoreName,
    Name + Refuse => Refusing,
    MoreName + NameEnds => Size,
    MoreName + Refuse => Refusing,
    Size + Bytes => MoreSize,
    Size + Refuse => Refusing,
    MoreSize + SizeEnds => Deciding,
    MoreSize + Refuse => Refusing,
    Deciding + Accept => Receiving,
    Deciding + Refuse => Refusing,
    Receiving + AllBytes => Full,
    Receiving + Refuse => Refusing,
    Full + StreamEnds => Complete,
    Full + Refuse => Refusing,
    Complete + Commit => Committing,
    Complete + Refuse => Refusing,
    Committing + Committed => Finishing,
    Committing + Notice => Saying,
    Committing + Refuse => Refusing,
    Saying + Said => Finishing,
    Finishing + Over => Closed,
    Refusing + Drain => Draining,
    Refusing + Over => Closed,
    Draining + Over => Closed,
}

transitions! {
    /// States of the side that sends a file (§14.3).
    SenderState {
        /// The storage says what is to be sent.
        Describing,
        /// The name goes out, and a reply is awaited.
        Name,
        /// Some of the reply has come; what follows within 50 ms belongs to it.
        NameReply,
        /// The size goes out, and a reply is awaited.
        Size,
        /// Some of the reply has come.
        SizeReply,
        /// The contents go out.
        Sending,
        /// Their last piece is held back until the storage says that the source is still the same.
        Finishing,
        /// The last piece goes out.
        Flushing,
        /// Everything is written: the caller is to close the sending side.
        Closing,
        /// The last reply is awaited.
        Ending,
        /// Some of it has come.
        LastReply,
        /// The beginning of a refusal has come; what follows within 50 ms belongs to it.
        Refused,
        /// The link takes no more: what the server had to say is read.
        Listening,
        /// It is over.
        Closed,
    }
    /// What happens to the side that sends a file.
    SenderEvent {
        /// The storage has described a file that can go.
        Described,
        /// The beginning of a reply came.
        Text,
        /// A reply is complete, or none is needed.
        Acked,
        /// The last byte was read from the source.
        AllFetched,
        /// The source is still the one described.
        Finished,
        /// The last byte is on the link.
        Flushed,
        /// The caller was told to close the sending side.
        HalfClosed,
        /// A text came that begins with `[!]`.
        Refusal,
        /// The link failed while contents went out.
        Lose,
        /// The refusal is complete, this end gives up, a deadline passed, the link was lost.
        Over,
    }
    Describing + Described => Name,
    Describing + Over => Closed,
    Name + Text => NameReply,
    Name + Acked => Size,
    Name + Refusal => Refused,
    Name + Over => Closed,
    NameReply + Acked => Size,
    NameReply + Refusal => Refused,
    NameReply + Over => Closed,
    Size + Text => SizeReply,
    Size + Acked => Sending,
    Size + Refusal => Refused,
    Size + Over => Closed,
    SizeReply + Acked => Sending,
    SizeReply + Refusal => Refused,
    SizeReply + Over => Closed,
    Sending + AllFetched => Finishing,
    Sending + Refusal => Refused,
    Sending + Lose => Listening,
    Sending + Over => Closed,
    Finishing + Finished => Flushing,
    Finishing + Refusal => Refused,
    Finishing + Lose => Listening,
    Finishing + Over => Closed,
    Flushing + Flushed => Closing,
    Flushing + Refusal => Refused,
    Flushing + Lose => Listening,
    Flushing + Over => Closed,
    Closing + HalfClosed => Ending,
    Closing + Over => Closed,
    Ending + Text => LastReply,
    Ending + Acked => Closed,
    Ending + Refusal => Refused,
    Ending + Over => Closed,
    LastReply + Acked => Closed,
    LastReply + Refusal => Refused,
    LastReply + Over => Closed,
    Refused + Over => Closed,
    Listening + Refusal => Refused,
    Listening + Over => Closed,
}

#[cfg(test)]
mod tests;
