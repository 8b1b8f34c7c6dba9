//! The program behind `./x fuzz`. Alone it reads the command's arguments and starts itself again for
//! each target; with the name of a target in its environment it is that target under libFuzzer.
//!
//! It has a `main` of its own and calls libFuzzer's driver, so that one build serves both, and no
//! tool but cargo is needed. Coverage comes from `scripts/fuzz-rustc.sh`.

mod memory;

use std::ffi::{CString, c_char, c_int};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_fuzz::campaign::{self, log, process};
use strongroom_fuzz::{Target, find, generate_seeds, memory_max};

// Only its C++ part is called; the name keeps that part in the link.
use libfuzzer_sys as _;

type TestOneInput = extern "C" fn(data: *const u8, length: usize) -> c_int;

unsafe extern "C" {
    /// libFuzzer's `main`, for a program that has one of its own (FuzzerInterface.h). It takes a
    /// count of arguments and as many C texts with a null pointer behind them.
    fn LLVMFuzzerRunDriver(
        argc: *mut c_int,
        argv: *mut *mut *mut c_char,
        test_one_input: TestOneInput,
    ) -> c_int;
    /// `atexit` of the C library.
    safe fn atexit(at_exit: extern "C" fn()) -> c_int;
}

/// The target of this process.
static TARGET: OnceLock<Target> = OnceLock::new();
static ACCEPTED: AtomicU64 = AtomicU64::new(0);
/// Most memory that one input took, bytes.
static MEMORY: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    match std::env::var(process::TARGET) {
        Ok(name) => fuzz(&name),
        Err(_) => campaign::main(observe),
    }
}

/// Runs a target on an input and measures the memory that it holds at once. More than the input pays
/// for is a panic.
fn observe(target: &Target, data: &[u8]) -> bool {
    memory::begin();
    let accepted = (target.run)(data);
    let (taken, most) = (memory::most(), memory_max(data.len()));
    assert!(
        taken <= most,
        "{taken} bytes of memory for an input of {}, which pays for {most}",
        data.len()
    );
    MEMORY.fetch_max(taken as u64, Ordering::Relaxed);
    accepted
}

fn fuzz(name: &str) -> ExitCode {
    let Some(target) = find(name) else {
        eprintln!("{}={name} names no target", process::TARGET);
        return ExitCode::from(2);
    };

    // libFuzzer sees a signal, not an unwinding panic; the words of the panic come first, and the
    // counts, since a process that fails does not come to its regular end.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        print_counts();
        std::process::abort();
    }));

    // What a target makes once is made here, so that no input is blamed for its memory. The broken
    // ones fail at this already.
    if !name.starts_with("broken_") {
        for seed in generate_seeds(&target) {
            (target.run)(&seed);
        }
    }
    let _ = TARGET.set(target);
    // libFuzzer ends the process by `exit` and never returns.
    atexit(print_counts);

    let mut arguments: Vec<*mut c_char> = std::env::args()
        .filter_map(|argument| CString::new(argument).ok())
        .map(CString::into_raw)
        .collect();
    let mut count = c_int::try_from(arguments.len()).unwrap_or_default();
    arguments.push(std::ptr::null_mut());
    let mut first = arguments.as_mut_ptr();

    // SAFETY: `count` texts and a null pointer lie at `first`, and live to the end of the process.
    let code = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut first, test_one_input) };
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

extern "C" fn test_one_input(data: *const u8, length: usize) -> c_int {
    let data = if length == 0 {
        &[][..]
    } else {
        // SAFETY: libFuzzer gives a pointer to `length` bytes that live as long as this call.
        unsafe { std::slice::from_raw_parts(data, length) }
    };
    if let Some(target) = TARGET.get()
        && observe(target, data)
    {
        ACCEPTED.fetch_add(1, Ordering::Relaxed);
    }
    0
}

extern "C" fn print_counts() {
    eprintln!("{} {}", log::ACCEPTED, ACCEPTED.load(Ordering::Relaxed));
    eprintln!("{} {}", log::MEMORY, MEMORY.load(Ordering::Relaxed));
}
