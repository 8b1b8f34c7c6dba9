//! The system's allocator, counted: how much a run holds at once.
//!
//! libFuzzer's own bound on allocations needs a sanitizer's runtime, which the stable compiler does
//! not link. This one counts what Rust allocates, which is everything that a decoder takes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

#[global_allocator]
static COUNTED: Counted = Counted;

/// Bytes that are allocated now.
static NOW: AtomicUsize = AtomicUsize::new(0);
/// The same when the run began.
static BEFORE: AtomicUsize = AtomicUsize::new(0);
/// The most since then.
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counted;

fn add(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(now, Ordering::Relaxed);
}

fn remove(bytes: usize) {
    NOW.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the very arguments; the rest is counting.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        remove(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// A run begins.
pub fn begin() {
    let now = NOW.load(Ordering::Relaxed);
    BEFORE.store(now, Ordering::Relaxed);
    MOST.store(now, Ordering::Relaxed);
}

/// Most bytes that it held at once, beyond what was held before.
pub fn most() -> usize {
    let before = BEFORE.load(Ordering::Relaxed);
    MOST.load(Ordering::Relaxed).saturating_sub(before)
}
