//! The filters of what comes back.
