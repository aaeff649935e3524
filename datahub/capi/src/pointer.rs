//! Pointers from C: checked for NULL and alignment before they become anything else.

use core::ffi::{CStr, c_char};

use crate::failure::Failure;

fn check<T>(pointer: *const T, what: &'static str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::argument(format!("{what} is NULL: pass an address")));
    }
    if !pointer.is_aligned() {
        let align = align_of::<T>();
        return Err(Failure::argument(format!("{what} is not aligned to {align} bytes")));
    }
    Ok(())
}

/// What C lends for reading.
///
/// # Safety
///
/// `pointer` is NULL, misaligned, or leads to a `T` that nobody changes during `'a`.
pub(crate) unsafe fn shared<'a, T>(
    pointer: *const T,
    what: &'static str,
) -> Result<&'a T, Failure> {
    check(pointer, what)?;
    // SAFETY: neither NULL nor misaligned; the rest is the caller's contract.
    Ok(unsafe { &*pointer })
}

/// What C lends for changing.
///
/// # Safety
///
/// `pointer` is NULL, misaligned, or leads to a `T` that nobody else touches during `'a`.
pub(crate) unsafe fn exclusive<'a, T>(
    pointer: *mut T,
    what: &'static str,
) -> Result<&'a mut T, Failure> {
    check(pointer, what)?;
    // SAFETY: neither NULL nor misaligned; the rest is the caller's contract.
    Ok(unsafe { &mut *pointer })
}

/// A place for a result, checked before the work begins. What stands there may be anything.
#[derive(Debug)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    ///
    /// `pointer` is NULL, misaligned, or leads to room for a `T` until the last `put`.
    pub(crate) unsafe fn new(pointer: *mut T, what: &'static str) -> Result<Self, Failure> {
        check(pointer, what)?;
        Ok(Self(pointer))
    }

    /// Writes the result.
    pub(crate) fn put(&self, value: T) {
        // SAFETY: neither NULL nor misaligned, checked in `new`, whose caller promised the room.
        unsafe { self.0.write(value) };
    }
}

impl<T> Out<*mut T> {
    /// A place for a handle. NULL stands there until there is one.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    pub(crate) unsafe fn handle(pointer: *mut *mut T, what: &'static str) -> Result<Self, Failure> {
        // SAFETY: the caller's contract.
        let out = unsafe { Self::new(pointer, what) }?;
        out.put(core::ptr::null_mut());
        Ok(out)
    }
}

/// A text from C.
///
/// # Safety
///
/// `text` is NULL or ends with a zero byte; nobody changes it during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &'static str) -> Result<&'a str, Failure> {
    check(text, what)?;
    // SAFETY: not NULL; the rest is the caller's contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Failure::argument(format!("{what} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_misaligned_pointers_are_refused() {
        let words = [0_u64; 2];
        let crooked = words.as_ptr().wrapping_byte_add(4);
        // SAFETY: NULL and misaligned pointers are within the contract.
        assert!(unsafe { shared(crooked, "words") }.is_err());
        // SAFETY: as above.
        assert!(unsafe { exclusive::<u64>(core::ptr::null_mut(), "words") }.is_err());
        // SAFETY: as above.
        assert!(unsafe { Out::new(crooked.cast_mut(), "words") }.is_err());
        // SAFETY: as above.
        assert!(unsafe { text(core::ptr::null(), "name") }.is_err());
    }

    #[test]
    fn a_text_that_is_not_utf8_is_refused() {
        // SAFETY: ends with a zero byte.
        assert!(unsafe { text(c"\xff".as_ptr(), "name") }.is_err());
    }
}
