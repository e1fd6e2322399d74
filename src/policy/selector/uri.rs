//! Resource URIs as selectors see them.

use crate::wire::mcp::uri::{Form, check, is_template as has_braces};

/// Whether `uri`, or the template that it is, can be read in one way only (T12).
pub(in crate::policy) fn is_canonical(uri: &str) -> bool {
    let form = if is_template(uri) { Form::Template } else { Form::Uri };
    check(uri, form).is_ok()
}

/// Whether `uri` is a template (RFC 6570) that stands for many.
pub(in crate::policy) fn is_template(uri: &str) -> bool {
    has_braces(uri)
}

/// `uri` without what servers commonly ignore: query and trailing slashes. For deny and limit.
pub(in crate::policy) fn reduced(uri: &str) -> &str {
    uri.split('?').next().unwrap_or("").trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduced_forms() {
        for (uri, want) in [
            ("file:///secret/", "file:///secret"),
            ("file:///secret?x=/y", "file:///secret"),
            ("file:///a//", "file:///a"),
        ] {
            assert_eq!(reduced(uri), want);
        }
    }
}
