//! URIs: the text as given; equality and order are those of `java.net.URI`.
//!
//! A URI is split into the parts that Java compares: scheme and host without regard to case,
//! `%`-escapes without regard to the case of their digits. No scheme comes first, opaque URIs
//! (`mailto:a@b`) after hierarchical ones of their scheme. Where Java's order is no order (an
//! authority with a host against one without), those without a host come first.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::relation::cmp_utf16;

/// A URI, kept as it was written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri(Arc<str>);

impl Uri {
    /// Takes the text as it is.
    pub fn new(text: &str) -> Uri {
        Uri(Arc::from(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#uri {:?}", self.0)
    }
}

/// The order of URIs: as Java compares them, ties by exact text.
pub(crate) fn cmp(a: &Uri, b: &Uri) -> Ordering {
    if a.0 == b.0 {
        return Ordering::Equal;
    }
    cmp_parts(&a.0, &b.0).then_with(|| cmp_utf16(&a.0, &b.0))
}

/// Equality as `java.net.URI`.
pub(crate) fn equal(a: &Uri, b: &Uri) -> bool {
    a.0 == b.0 || cmp_parts(&a.0, &b.0) == Ordering::Equal
}

/// Feeds a hash that agrees with [`equal`].
pub(crate) fn hash<H: Hasher>(uri: &Uri, state: &mut H) {
    let parts = split(&uri.0);
    for text in [parts.opaque, Some(parts.path), parts.query, parts.fragment] {
        text.map(upper_escapes).hash(state);
    }
}

/// What Java compares, in this order; `None` sorts first.
struct Parts<'a> {
    scheme: Option<&'a str>,
    /// What follows the scheme, where it does not begin with a slash.
    opaque: Option<&'a str>,
    /// The authority, where it does not name a host.
    registry: Option<&'a str>,
    server: Option<Server<'a>>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

struct Server<'a> {
    user: Option<&'a str>,
    host: &'a str,
    port: Option<u32>,
}

fn cmp_parts(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    cmp_ignoring_case(a.scheme, b.scheme)
        .then_with(|| cmp_text(a.opaque, b.opaque))
        .then_with(|| a.server.is_some().cmp(&b.server.is_some()))
        .then_with(|| cmp_text(a.registry, b.registry))
        .then_with(|| match (&a.server, &b.server) {
            (Some(a), Some(b)) => cmp_text(a.user, b.user)
                .then_with(|| cmp_ignoring_case(Some(a.host), Some(b.host)))
                .then_with(|| a.port.cmp(&b.port)),
            _ => Ordering::Equal,
        })
        .then_with(|| cmp_text(Some(a.path), Some(b.path)))
        .then_with(|| cmp_text(a.query, b.query))
        .then_with(|| cmp_text(a.fragment, b.fragment))
}

fn split(text: &str) -> Parts<'_> {
    let (text, fragment) = split_at(text, '#');
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, text),
    };
    let opaque = scheme.filter(|_| !rest.starts_with('/')).map(|_| rest);
    let (rest, query) = match opaque {
        Some(_) => ("", None),
        None => split_at(rest, '?'),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority).filter(|text| !text.is_empty()), path)
        }
        None => (None, rest),
    };
    let server = authority.and_then(split_server);
    Parts {
        scheme,
        opaque,
        registry: authority.filter(|_| server.is_none()),
        server,
        path,
        query,
        fragment,
    }
}

fn split_at(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// `[user@]host[:port]`, where the host is a name, an IPv4 address or `[…]`.
fn split_server(authority: &str) -> Option<Server<'_>> {
    let (user, rest) = match authority.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    let host_end = match rest.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => rest.find(':').unwrap_or(rest.len()),
    };
    let (host, port) = rest.split_at(host_end);
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(digits) => Some(digits.parse().ok()?),
    };
    let is_name = |label: &str| {
        let bytes = label.as_bytes();
        bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && bytes.first().is_some_and(|b| *b != b'-')
            && bytes.last().is_some_and(|b| *b != b'-')
    };
    let named = || {
        host.strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(is_name)
    };
    (host.starts_with('[') || named()).then_some(Server { user, host, port })
}

fn cmp_ignoring_case(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let lower = |text: &str| text.to_ascii_lowercase();
            if a == b {
                Ordering::Equal
            } else {
                lower(a).cmp(&lower(b))
            }
        }
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn cmp_text(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => cmp_utf16(&upper_escapes(a), &upper_escapes(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The text with the digits of `%`-escapes in upper case.
fn upper_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('%');
    let mut out = String::with_capacity(text.len());
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push('%');
        let (digits, rest) = part.split_at_checked(2).unwrap_or(("", part));
        out.push_str(&digits.to_ascii_uppercase());
        out.push_str(rest);
    }
    Cow::Owned(out)
}
