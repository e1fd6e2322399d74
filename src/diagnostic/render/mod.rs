//! How findings look: one file a format. A renderer never decides what is said.
