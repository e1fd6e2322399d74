//! The `mcpfw` command: everything lives in the library.

/// An exchange allocates some twenty times, and a tenth of its own time went into that: mimalloc takes less than half as long
/// as the C library's allocator, and much less than musl's. Without huge pages: they would make 35 MiB resident of the limit
/// table's 24 MiB before a single key is in it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mcpfw::cli::main()
}
