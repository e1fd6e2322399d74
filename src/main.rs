//! The `mcpfw` command: everything lives in the library.

/// An exchange allocates some twenty times, and a tenth of its own time went into that: mimalloc takes less than half as long
/// as the C library's allocator, and much less than musl's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mcpfw::cli::main()
}
