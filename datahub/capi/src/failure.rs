//! What went wrong in a call: a code for the program, a message for people.
//!
//! A failure keeps its cause and becomes text only when somebody asks, so polling an empty block
//! allocates nothing.

use core::ffi::c_char;
use core::fmt;
use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use datahub::block::OpenError;
use datahub::consumer::ReadError;
use datahub::consumer::attach::AttachError;
use datahub::consumer::follow::FollowError;
use datahub::producer::WriteError;
use datahub::producer::create::CreateError;
use datahub::producer::hand_over::HandOverReason;

use crate::status::{DataBlockStatus, SlotAcquireResult};

/// Why a call did not succeed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: DataBlockStatus,
    cause: Cause,
}

#[derive(Debug, Clone)]
enum Cause {
    Text(Cow<'static, str>),
    Read(ReadError),
    Write(WriteError),
}

impl Failure {
    /// A failure with a message that says what, where, and what to do.
    pub(crate) fn new(status: DataBlockStatus, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, cause: Cause::Text(message.into()) }
    }

    /// A bad argument.
    pub(crate) fn argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DataBlockStatus::DatablockError, message)
    }

    /// A call out of order.
    pub(crate) fn order(message: &'static str) -> Self {
        Self::new(DataBlockStatus::DatablockInvalidState, message)
    }

    /// The operating system refused.
    pub(crate) fn system(error: &std::io::Error) -> Self {
        Self::new(DataBlockStatus::DatablockSystem, error.to_string())
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> DataBlockStatus {
        self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Text(text) => formatter.write_str(text),
            Cause::Read(error) => write!(formatter, "{error}"),
            Cause::Write(error) => write!(formatter, "{error}"),
        }
    }
}

/// An error with everything that caused it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// What newer releases of `datahub` may add to an error that grows.
const UNNAMED: DataBlockStatus = DataBlockStatus::DatablockSystem;

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let status = match error {
            ReadError::TimedOut { waited } if waited.is_zero() => {
                DataBlockStatus::DatablockNotReady
            }
            ReadError::TimedOut { .. } => DataBlockStatus::DatablockTimeout,
            ReadError::Lapped { .. } | ReadError::Gone { .. } => DataBlockStatus::DatablockLapped,
            ReadError::Ended => DataBlockStatus::DatablockEnded,
            ReadError::ProducerDead { .. } => DataBlockStatus::DatablockProducerDead,
            ReadError::Checksum { .. } => DataBlockStatus::DatablockChecksum,
            ReadError::Damaged => DataBlockStatus::DatablockDamaged,
            ReadError::Contended { .. } => DataBlockStatus::DatablockContended,
            ReadError::Evicted { .. } => DataBlockStatus::DatablockEvicted,
            ReadError::Moved => DataBlockStatus::DatablockMoved,
            _ => UNNAMED,
        };
        Self { status, cause: Cause::Read(error) }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        let status = match error {
            WriteError::Full { .. } => DataBlockStatus::DatablockFull,
            WriteError::TimedOutFull { .. } | WriteError::TimedOutReaders { .. } => {
                DataBlockStatus::DatablockTimeout
            }
            WriteError::Damaged => DataBlockStatus::DatablockDamaged,
            WriteError::Exhausted => DataBlockStatus::DatablockExhausted,
            _ => UNNAMED,
        };
        Self { status, cause: Cause::Write(error) }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        let status = match error {
            CreateError::Conflict { .. } | CreateError::Alive { .. } => {
                DataBlockStatus::DatablockLocked
            }
            CreateError::NoSpace { .. } | CreateError::TooLarge => {
                DataBlockStatus::DatablockNoSpace
            }
            CreateError::NotOurs { .. }
            | CreateError::Unusable { .. }
            | CreateError::OtherShape { .. } => DataBlockStatus::DatablockIncompatible,
            CreateError::Contended(_) => DataBlockStatus::DatablockContended,
            _ => UNNAMED,
        };
        Self::new(status, chain(&error))
    }
}

impl From<AttachError> for Failure {
    fn from(error: AttachError) -> Self {
        let status = match error {
            AttachError::NotFound { .. } => DataBlockStatus::DatablockNotFound,
            AttachError::NotPermitted { .. } => DataBlockStatus::DatablockNotPermitted,
            AttachError::Unusable { .. } => DataBlockStatus::DatablockIncompatible,
            AttachError::ConsumerSlotsFull { .. } => DataBlockStatus::DatablockConsumersFull,
            AttachError::Occupied { .. } => DataBlockStatus::DatablockLocked,
            AttachError::Contended | AttachError::Moving { .. } => {
                DataBlockStatus::DatablockContended
            }
            _ => UNNAMED,
        };
        Self::new(status, chain(&error))
    }
}

impl From<HandOverReason> for Failure {
    fn from(reason: HandOverReason) -> Self {
        let status = match reason {
            HandOverReason::Create(error) => return error.into(),
            HandOverReason::Unfinished { .. } => DataBlockStatus::DatablockContended,
            HandOverReason::NameLost => DataBlockStatus::DatablockNotFound,
            HandOverReason::System(_) => DataBlockStatus::DatablockSystem,
            _ => DataBlockStatus::DatablockError,
        };
        Self::new(status, format!("the block was not handed over: {}", chain(&reason)))
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        let status = match error {
            FollowError::Attach(error) => return error.into(),
            FollowError::NotMoved | FollowError::Unread { .. } => {
                DataBlockStatus::DatablockInvalidState
            }
            FollowError::Gone { .. } => DataBlockStatus::DatablockNotFound,
            FollowError::SeatLost { .. } => DataBlockStatus::DatablockEvicted,
            FollowError::TimedOut { .. } => DataBlockStatus::DatablockTimeout,
            _ => UNNAMED,
        };
        Self::new(status, chain(&error))
    }
}

impl Failure {
    /// Why the block called `place` could not be opened.
    pub(crate) fn open(place: &str, error: &OpenError) -> Self {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        let status = match error {
            OpenError::Header(_) => DataBlockStatus::DatablockIncompatible,
            OpenError::System(error) if error.kind() == NotFound => {
                DataBlockStatus::DatablockNotFound
            }
            OpenError::System(error) if error.kind() == PermissionDenied => {
                DataBlockStatus::DatablockNotPermitted
            }
            OpenError::Stranger { .. } => DataBlockStatus::DatablockNotPermitted,
            _ => UNNAMED,
        };
        Self::new(status, format!("cannot open the block '{place}': {error}"))
    }
}

thread_local! {
    static LAST: RefCell<(Option<Failure>, CString)> = RefCell::default();
}

/// Runs one call for C: what it says becomes a code, and so does a panic.
pub(crate) fn report(call: impl FnOnce() -> Result<(), Failure>) -> DataBlockStatus {
    let failure = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => return DataBlockStatus::DatablockOk,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().copied();
            let why = why.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let why = why.unwrap_or("no reason was given");
            Failure::new(
                DataBlockStatus::DatablockBug,
                format!("a defect of this library, please report it: {why}"),
            )
        }
    };
    let status = failure.status;
    // A thread that is ending has no storage left: the code must do.
    let _kept = LAST.try_with(|last| last.borrow_mut().0 = Some(failure));
    status
}

/// The same for a slot, whose results are their own message.
pub(crate) fn report_slot(call: impl FnOnce() -> SlotAcquireResult) -> SlotAcquireResult {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(SlotAcquireResult::SlotAcquireError)
}

/// What went wrong in this thread's last failed `datablock_*` call: what, where, what to do. UTF-8,
/// never NULL, empty when nothing failed yet. The text lives until this thread's next call.
#[unsafe(no_mangle)]
pub extern "C" fn datablock_last_error() -> *const c_char {
    LAST.try_with(|last| {
        let (failure, text) = &mut *last.borrow_mut();
        if let Some(failure) = failure.take() {
            let message = failure.to_string().replace('\0', "\u{fffd}");
            *text = CString::new(message).unwrap_or_default();
        }
        text.as_ptr()
    })
    .unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;
    use core::time::Duration;
    use datahub::name::BlockName;

    fn last_error() -> String {
        // SAFETY: the text lives until this thread's next call.
        unsafe { CStr::from_ptr(datablock_last_error()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_a_code_and_a_message() {
        assert_eq!(report(|| panic!("slot {} is gone", 7)), DataBlockStatus::DatablockBug);
        assert!(last_error().contains("slot 7 is gone"));
        assert_eq!(last_error(), last_error(), "asking again gives the same text");
        assert_eq!(report_slot(|| panic!("no")), SlotAcquireResult::SlotAcquireError);
    }

    #[test]
    fn a_zero_byte_in_a_message_hides_nothing() {
        assert_eq!(report(|| Err(Failure::argument("a\0b"))), DataBlockStatus::DatablockError);
        assert_eq!(last_error(), "a\u{fffd}b");
    }

    // What no test can provoke from outside: 2⁶⁴ commits, lost races, another user.
    #[test]
    fn rare_errors_have_codes_of_their_own() {
        let name = BlockName::new("b").unwrap();
        let of = |failure: Failure| failure.status();
        assert_eq!(of(WriteError::Exhausted.into()), DataBlockStatus::DatablockExhausted);
        assert_eq!(of(CreateError::Contended(name).into()), DataBlockStatus::DatablockContended);
        assert_eq!(of(AttachError::Contended.into()), DataBlockStatus::DatablockContended);
        let (place, reason) = ("p".to_owned(), OpenError::Stranger { user: 1, mode: 0o644 });
        assert_eq!(of(Failure::open("p", &reason)), DataBlockStatus::DatablockNotPermitted);
        assert_eq!(
            of(AttachError::NotPermitted { place, reason }.into()),
            DataBlockStatus::DatablockNotPermitted
        );
        let waited = Duration::from_millis(1);
        assert_eq!(
            of(ReadError::ProducerDead { waited }.into()),
            DataBlockStatus::DatablockProducerDead
        );
    }
}
