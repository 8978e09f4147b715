//! One message with the user id of its sender, as the kernel vouches for it.

use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::io::Errno;

/// Room for the credentials and for nothing else: descriptors that somebody sends along do not fit and
/// are closed by the kernel.
const CONTROL_WORDS: usize = 4;

/// Receives a message without waiting: its length, and its sender's effective user. A message longer
/// than `buffer` counts as an empty one: neither is an answer.
///
/// # Errors
///
/// What the kernel said; `EAGAIN` where nothing is there.
#[expect(
    unsafe_code,
    reason = "rustix takes a process id of 0 for impossible, and that is what the kernel gives for a sender in another PID namespace"
)]
pub(super) fn receive(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> Result<(usize, Option<u32>), Errno> {
    let mut control = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: msghdr is made of numbers and pointers, for which zeros are valid.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = std::mem::size_of_val(&control) as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC | libc::MSG_TRUNC;
    // SAFETY: every pointer in the header is to a live local, with its true length.
    let len = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) };
    let Ok(len) = usize::try_from(len) else {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    };
    let len = if len > buffer.len() { 0 } else { len };
    // SAFETY: the kernel has filled in msg_control up to msg_controllen.
    let first = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    if first.is_null() {
        return Ok((len, None));
    }
    // SAFETY: not null, so a whole control header is there; `control` is aligned for it.
    let (level, kind, size) =
        unsafe { ((*first).cmsg_level, (*first).cmsg_type, (*first).cmsg_len) };
    let is_credentials = level == libc::SOL_SOCKET && kind == libc::SCM_CREDENTIALS;
    // SAFETY: a computation on numbers.
    let due = unsafe {
        libc::CMSG_LEN(u32::try_from(std::mem::size_of::<libc::ucred>()).unwrap_or(u32::MAX))
    };
    if !is_credentials || size < due as _ {
        return Ok((len, None));
    }
    // SAFETY: the message says that a ucred follows, and is long enough for it.
    let credentials: libc::ucred =
        unsafe { std::ptr::read_unaligned(libc::CMSG_DATA(first).cast()) };
    Ok((len, Some(credentials.uid)))
}
