//! What a server asks of the system before it begins.

/// Every connection takes a descriptor or three: as many as the system allows.
#[cfg(unix)]
pub(super) fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
pub(super) fn allow_many_files() {}

/// Memory goes back to the system when connections end: what each of them works in is mapped, and not kept in many arenas, of which glibc makes
/// eight for each processor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "there is no safe way to say this to the allocator")]
pub(super) fn give_memory_back() {
    const ARENAS: libc::c_int = 2;
    const MAPPED_FROM: libc::c_int = 16 << 10;
    // SAFETY: mallopt only sets parameters of the allocator; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
    }
}

/// Gives back what has become free in between since then.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "there is no safe way to say this to the allocator")]
pub(super) fn trim_memory() {
    // SAFETY: malloc_trim may be called at any time, by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_memory_back() {}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn trim_memory() {}
