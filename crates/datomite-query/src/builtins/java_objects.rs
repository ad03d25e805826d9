//! Methods of dates, uuids, URIs, names and collections, and of every object.

use datomite_model::{Edn, Instant, Symbol, Uri, Uuid, Value};

use super::calendar::{Civil, days_before};
use super::call::seq;
use super::collections::{items, list_or_nil, lookup};
use super::numeric::unreadable;
use super::{Builtin, CallError, Invocation, MANY, Outcome, clj, hash, predicates, print, strings};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        ".toString",
        "(.toString x): its text",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Nil => Err(c.wrong_type(0, "a value")),
            form => Ok(Edn::string(&print::text_of(form))),
        },
    ),
    Builtin::new(
        ".equals",
        "(.equals x y): of one type and equal",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Nil => Err(c.wrong_type(0, "a value")),
            form => c.bool(clj::java_equal(form, c.edn(1)?)),
        },
    ),
    Builtin::new(
        ".compareTo",
        "(.compareTo x y): negative, zero or positive, of one type",
        (2, 2),
        |c| match predicates::compare_to(c.edn(0)?, c.edn(1)?) {
            Some(order) => Ok(Edn::long(order)),
            None => Err(c.wrong_type(1, "something of the same type, with an order")),
        },
    ),
    Builtin::new(
        ".hashCode",
        "(.hashCode x): Java's hash",
        (1, 1),
        |c| match hash::java_hash(c.edn(0)?) {
            Some(hash) => Ok(Edn::long(i64::from(hash))),
            None => Err(c.wrong_type(0, "a value with a hash")),
        },
    ),
    Builtin::new(
        "hash",
        "(hash x): Clojure's hash",
        (1, 1),
        |c| match hash::clojure_hash(c.edn(0)?) {
            Some(hash) => Ok(Edn::long(i64::from(hash))),
            None => Err(c.wrong_type(0, "a value with a hash")),
        },
    ),
    Builtin::new(
        "java.util.Objects/isNull",
        "(java.util.Objects/isNull x): whether x is nil",
        (1, 1),
        |c| c.bool(c.edn(0)?.is_nil()),
    ),
    Builtin::new(
        "java.util.Objects/nonNull",
        "(java.util.Objects/nonNull x): whether x is not nil",
        (1, 1),
        |c| c.bool(!c.edn(0)?.is_nil()),
    ),
    Builtin::new(
        "java.util.Objects/equals",
        "(java.util.Objects/equals x y): of one type and equal",
        (2, 2),
        |c| c.bool(clj::java_equal(c.edn(0)?, c.edn(1)?)),
    ),
    Builtin::new(
        "java.util.Objects/toString",
        "(java.util.Objects/toString x): its text",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Nil => Ok(Edn::string("null")),
            form => Ok(Edn::string(&print::text_of(form))),
        },
    ),
    Builtin::new(
        ".booleanValue",
        "(.booleanValue b): b",
        (1, 1),
        |c| match c.edn(0)? {
            form @ Edn::Value(Value::Boolean(_)) => Ok(form.clone()),
            _ => Err(c.wrong_type(0, "a boolean")),
        },
    ),
    Builtin::new(
        ".getTime",
        "(.getTime i): milliseconds since 1970",
        (1, 1),
        |c| Ok(Edn::long(instant(c, 0)?.ms())),
    ),
    Builtin::new(".toInstant", "(.toInstant i): i", (1, 1), |c| {
        Ok(Edn::Value(Value::Instant(instant(c, 0)?)))
    }),
    Builtin::new(
        ".toEpochMilli",
        "(.toEpochMilli i): milliseconds since 1970",
        (1, 1),
        |c| Ok(Edn::long(instant(c, 0)?.ms())),
    ),
    Builtin::new(
        ".getEpochSecond",
        "(.getEpochSecond i): seconds since 1970",
        (1, 1),
        |c| Ok(Edn::long(instant(c, 0)?.ms().div_euclid(1000))),
    ),
    Builtin::new(
        ".before",
        "(.before i j): whether i is earlier",
        (2, 2),
        |c| c.bool(instant(c, 0)? < instant(c, 1)?),
    ),
    Builtin::new(".after", "(.after i j): whether i is later", (2, 2), |c| {
        c.bool(instant(c, 0)? > instant(c, 1)?)
    }),
    Builtin::new(
        ".getYear",
        "(.getYear i): the year since 1900, in UTC",
        (1, 1),
        |c| part(c, |t| t.year - 1900),
    ),
    Builtin::new(
        ".getMonth",
        "(.getMonth i): the month from 0, in UTC",
        (1, 1),
        |c| part(c, |t| t.month - 1),
    ),
    Builtin::new(
        ".getDate",
        "(.getDate i): the day of the month, in UTC",
        (1, 1),
        |c| part(c, |t| t.day),
    ),
    Builtin::new(
        ".getDay",
        "(.getDay i): the day of the week, Sunday is 0, in UTC",
        (1, 1),
        |c| part(c, |t| t.weekday),
    ),
    Builtin::new(
        ".getHours",
        "(.getHours i): the hour, in UTC",
        (1, 1),
        |c| part(c, |t| t.hour),
    ),
    Builtin::new(".getMinutes", "(.getMinutes i): the minute", (1, 1), |c| {
        part(c, |t| t.minute)
    }),
    Builtin::new(".getSeconds", "(.getSeconds i): the second", (1, 1), |c| {
        part(c, |t| t.second)
    }),
    Builtin::new(
        "java.util.Date.",
        "(java.util.Date. ms), or year since 1900, month from 0, day ...: an instant",
        (1, 6),
        date,
    ),
    Builtin::new(
        "java.util.UUID/fromString",
        "(java.util.UUID/fromString s): the uuid in a text",
        (1, 1),
        |c| {
            let uuid = strings::parse_uuid(c.text(0)?);
            uuid.map(|uuid| Edn::Value(Value::Uuid(uuid)))
                .ok_or_else(|| unreadable(c, c.text(0).unwrap_or_default()))
        },
    ),
    Builtin::new(
        "java.util.UUID.",
        "(java.util.UUID. high low): a uuid of two longs",
        (2, 2),
        |c| {
            let (high, low) = (c.long(0)? as u64, c.long(1)? as u64);
            Ok(Edn::Value(Value::Uuid(Uuid::from_u128(
                (u128::from(high) << 64) | u128::from(low),
            ))))
        },
    ),
    Builtin::new(
        "java.util.UUID/randomUUID",
        "(java.util.UUID/randomUUID): a new uuid",
        (0, 0),
        |_| Ok(super::transform::random_uuid(None)),
    ),
    Builtin::new(
        ".getMostSignificantBits",
        "(.getMostSignificantBits u): the upper half of a uuid",
        (1, 1),
        |c| Ok(Edn::long((uuid(c)? >> 64) as u64 as i64)),
    ),
    Builtin::new(
        ".getLeastSignificantBits",
        "(.getLeastSignificantBits u): the lower half of a uuid",
        (1, 1),
        |c| Ok(Edn::long(uuid(c)? as u64 as i64)),
    ),
    Builtin::new(
        ".version",
        "(.version u): the version of a uuid",
        (1, 1),
        |c| Ok(Edn::long((uuid(c)? >> 76 & 0xf) as i64)),
    ),
    Builtin::new(
        "java.net.URI.",
        "(java.net.URI. s): the URI of a text",
        (1, 1),
        uri_of,
    ),
    Builtin::new(
        "java.net.URI/create",
        "(java.net.URI/create s): the URI of a text",
        (1, 1),
        uri_of,
    ),
    Builtin::new(
        ".getScheme",
        "(.getScheme u): the scheme of a URI, or nil",
        (1, 1),
        |c| uri(c, |u| u.scheme),
    ),
    Builtin::new(
        ".getAuthority",
        "(.getAuthority u): what follows //, or nil",
        (1, 1),
        |c| uri(c, |u| u.authority),
    ),
    Builtin::new(
        ".getHost",
        "(.getHost u): the host of a URI, or nil",
        (1, 1),
        |c| uri(c, |u| u.host()),
    ),
    Builtin::new(
        ".getPath",
        "(.getPath u): the path of a URI, or nil",
        (1, 1),
        |c| uri(c, |u| u.path),
    ),
    Builtin::new(
        ".getQuery",
        "(.getQuery u): what follows ?, or nil",
        (1, 1),
        |c| uri(c, |u| u.query),
    ),
    Builtin::new(
        ".getFragment",
        "(.getFragment u): what follows #, or nil",
        (1, 1),
        |c| uri(c, |u| u.fragment),
    ),
    Builtin::new(
        ".getPort",
        "(.getPort u): the port of a URI, or -1",
        (1, 1),
        |c| Ok(Edn::long(UriParts::of(uri_text(c)?).port())),
    ),
    Builtin::new(
        ".isAbsolute",
        "(.isAbsolute u): whether a URI has a scheme",
        (1, 1),
        |c| c.bool(UriParts::of(uri_text(c)?).scheme.is_some()),
    ),
    Builtin::new(
        ".getName",
        "(.getName x): the name of a keyword, symbol or class",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Keyword(k)) => Ok(Edn::string(k.name())),
            Edn::Value(Value::Symbol(s)) => Ok(Edn::string(s.name())),
            Edn::Tagged(tag, inner) if tag.as_str() == super::CLASS_TAG => Ok((**inner).clone()),
            _ => Err(c.wrong_type(0, "a keyword, symbol or class")),
        },
    ),
    Builtin::new(
        ".getSimpleName",
        "(.getSimpleName c): the last part of a class's name",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Tagged(tag, inner) if tag.as_str() == super::CLASS_TAG => {
                let name = inner.as_str().unwrap_or_default();
                Ok(Edn::string(name.rsplit(['.', '$']).next().unwrap_or(name)))
            }
            _ => Err(c.wrong_type(0, "a class")),
        },
    ),
    Builtin::new(
        ".getNamespace",
        "(.getNamespace x): the namespace of a name, or nil",
        (1, 1),
        |c| {
            let namespace = match c.edn(0)? {
                Edn::Value(Value::Keyword(k)) => k.namespace(),
                Edn::Value(Value::Symbol(s)) => s.namespace(),
                _ => return Err(c.wrong_type(0, "a keyword or symbol")),
            };
            Ok(namespace.map_or(Edn::Nil, Edn::string))
        },
    ),
    Builtin::new(
        ".sym",
        "(.sym k): a keyword as a symbol",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Keyword(k)) => Ok(Edn::Value(Value::Symbol(Symbol::new(
                k.namespace(),
                k.name(),
            )))),
            _ => Err(c.wrong_type(0, "a keyword")),
        },
    ),
    Builtin::new(
        ".get",
        "(.get x k): the value of a key, the element at a position",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Map(_) | Edn::Set(_) => Ok(lookup(c.edn(0)?, c.edn(1)?).unwrap_or(Edn::Nil)),
            _ => at(c, None),
        },
    ),
    Builtin::new(
        ".valAt",
        "(.valAt m k default?): the value of a key",
        (2, 3),
        |c| match c.edn(0)? {
            Edn::Map(_) | Edn::Vector(_) => Ok(match lookup(c.edn(0)?, c.edn(1)?) {
                Some(found) => found,
                None => c.optional(2)?.clone(),
            }),
            _ => Err(c.wrong_type(0, "a map or vector")),
        },
    ),
    Builtin::new(
        ".nth",
        "(.nth v n default?): the element at a position",
        (2, 3),
        |c| at(c, if c.len() > 2 { Some(c.edn(2)?) } else { None }),
    ),
    Builtin::new(
        ".getOrDefault",
        "(.getOrDefault m k default): the value of a key",
        (3, 3),
        |c| match c.edn(0)? {
            Edn::Map(_) => Ok(lookup(c.edn(0)?, c.edn(1)?).unwrap_or(c.edn(2)?.clone())),
            _ => Err(c.wrong_type(0, "a map")),
        },
    ),
    Builtin::new(
        ".containsKey",
        "(.containsKey m k): whether a key is there",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Map(_) | Edn::Vector(_) => c.bool(lookup(c.edn(0)?, c.edn(1)?).is_some()),
            _ => Err(c.wrong_type(0, "a map or vector")),
        },
    ),
    Builtin::new(
        ".containsValue",
        "(.containsValue m x): whether a value is there",
        (2, 2),
        |c| {
            let Some(entries) = c.edn(0)?.as_map() else {
                return Err(c.wrong_type(0, "a map"));
            };
            let wanted = c.edn(1)?;
            c.bool(entries.iter().any(|(_, value)| clj::equal(value, wanted)))
        },
    ),
    Builtin::new(
        ".containsAll",
        "(.containsAll xs ys): whether all of ys are in xs",
        (2, 2),
        |c| {
            let (all, wanted) = (items(c, 0)?, items(c, 1)?);
            c.bool(
                wanted
                    .iter()
                    .all(|w| all.iter().any(|item| clj::equal(item, w))),
            )
        },
    ),
    Builtin::new(".size", "(.size xs): how many elements", (1, 1), size),
    Builtin::new(".count", "(.count xs): how many elements", (1, 1), size),
    Builtin::new(".keySet", "(.keySet m): the keys, a set", (1, 1), |c| {
        let entries = c.edn(0)?.as_map().ok_or_else(|| c.wrong_type(0, "a map"))?;
        Ok(Edn::Set(
            entries.iter().map(|(key, _)| key.clone()).collect(),
        ))
    }),
    Builtin::new(".values", "(.values m): the values", (1, 1), |c| {
        let entries = c.edn(0)?.as_map().ok_or_else(|| c.wrong_type(0, "a map"))?;
        Ok(Edn::Vector(
            entries.iter().map(|(_, value)| value.clone()).collect(),
        ))
    }),
    Builtin::new(
        ".entrySet",
        "(.entrySet m): the entries, a set",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Map(_) => Ok(Edn::Set(items(c, 0)?.into_owned())),
            _ => Err(c.wrong_type(0, "a map")),
        },
    ),
    Builtin::new(
        ".seq",
        "(.seq xs): the elements as a list, or nil",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::List(_) | Edn::Vector(_) | Edn::Set(_) | Edn::Map(_) => {
                Ok(list_or_nil(items(c, 0)?.into_owned()))
            }
            _ => Err(c.wrong_type(0, "a collection")),
        },
    ),
    Builtin::new(
        ".first",
        "(.first xs): the first element of a list",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::List(items) => Ok(items.first().cloned().unwrap_or(Edn::Nil)),
            _ => Err(c.wrong_type(0, "a list")),
        },
    ),
    Builtin::new(
        ".subList",
        "(.subList xs start end): part of a list",
        (3, 3),
        |c| {
            let (all, start, end) = (items(c, 0)?, c.position(1)?, c.position(2)?);
            let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let part = range.and_then(|(start, end)| all.get(start..end));
            part.map(|part| Edn::Vector(part.to_vec()))
                .ok_or_else(|| c.wrong_type(1, "positions inside the list"))
        },
    ),
    Builtin::new(
        "java.util.Arrays/asList",
        "(java.util.Arrays/asList xs): the elements",
        (0, MANY),
        |c| {
            Ok(Edn::Vector(if c.len() == 0 {
                Vec::new()
            } else {
                items(c, 0)?.into_owned()
            }))
        },
    ),
    Builtin::new(
        "java.util.Collections/max",
        "(java.util.Collections/max xs): the greatest",
        (1, 1),
        |c| extreme(c, true),
    ),
    Builtin::new(
        "java.util.Collections/min",
        "(java.util.Collections/min xs): the least",
        (1, 1),
        |c| extreme(c, false),
    ),
    Builtin::new(
        "java.util.Collections/frequency",
        "(java.util.Collections/frequency xs x): how often x is there",
        (2, 2),
        |c| {
            let (all, wanted) = (items(c, 0)?, c.edn(1)?);
            Ok(Edn::long(
                all.iter().filter(|item| clj::equal(item, wanted)).count() as i64,
            ))
        },
    ),
];

fn instant(c: &Invocation<'_>, at: usize) -> Result<Instant, QueryError> {
    match c.edn(at)? {
        Edn::Value(Value::Instant(instant)) => Ok(*instant),
        _ => Err(c.wrong_type(at, "an instant")),
    }
}

fn part(c: &Invocation<'_>, part: fn(&Civil) -> i64) -> Outcome {
    Ok(Edn::long(part(&Civil::of(instant(c, 0)?))))
}

fn date(c: &Invocation<'_>) -> Outcome {
    let ms = match c.len() {
        1 => match c.edn(0)? {
            Edn::Value(Value::Long(ms)) => *ms,
            _ => return Err(c.wrong_type(0, "milliseconds")),
        },
        2 | 4 => return Err(c.wrong_type(c.len() - 1, "year, month, day and, at will, a time")),
        _ => {
            let number = |at: usize| if at < c.len() { c.position(at) } else { Ok(0) };
            let days = days_before(number(0)? + 1900, number(1)? + 1, number(2)?);
            let minutes = (days * 24 + number(3)?) * 60 + number(4)?;
            (minutes * 60 + number(5)?) * 1000
        }
    };
    Ok(Edn::Value(Value::Instant(Instant::from_ms(ms))))
}

fn uuid(c: &Invocation<'_>) -> Result<u128, QueryError> {
    match c.edn(0)? {
        Edn::Value(Value::Uuid(uuid)) => Ok(uuid.as_u128()),
        _ => Err(c.wrong_type(0, "a uuid")),
    }
}

fn uri_of(c: &Invocation<'_>) -> Outcome {
    let text = c.text(0)?;
    let plain =
        |x: char| x.is_alphanumeric() || (x.is_ascii_graphic() && !"\"<>\\^`{|}".contains(x));
    let scheme = text.split_once(':');
    let named = scheme.is_none_or(|(scheme, rest)| {
        (!scheme.is_empty() && !rest.is_empty()) || scheme.contains(['/', '?', '#'])
    });
    if !text.chars().all(plain) || !named {
        return Err(unreadable(c, text));
    }
    Ok(Edn::Value(Value::Uri(Uri::new(text))))
}

struct UriParts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> UriParts<'a> {
    fn of(text: &'a str) -> UriParts<'a> {
        let cut = |text: &'a str, at: char| match text.split_once(at) {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        let (text, fragment) = cut(text, '#');
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => (Some(scheme), rest),
            _ => (None, text),
        };
        if scheme.is_some() && !rest.starts_with('/') {
            return UriParts {
                scheme,
                authority: None,
                path: None,
                query: None,
                fragment,
            };
        }
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority).filter(|text| !text.is_empty()), path)
            }
            None => (None, rest),
        };
        UriParts {
            scheme,
            authority,
            path: Some(path),
            query,
            fragment,
        }
    }

    fn server(&self) -> Option<(&'a str, Option<&'a str>)> {
        let server = self.authority?;
        let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
        match server.rfind(':') {
            Some(at) if !server.ends_with(']') => Some((&server[..at], Some(&server[at + 1..]))),
            _ => Some((server, None)),
        }
    }

    fn host(&self) -> Option<&'a str> {
        self.server().map(|(host, _)| host)
    }

    fn port(&self) -> i64 {
        let port = self.server().and_then(|(_, port)| port);
        port.and_then(|port| port.parse().ok()).unwrap_or(-1)
    }
}

fn uri_text<'a>(c: &Invocation<'a>) -> Result<&'a str, QueryError> {
    match c.edn(0)? {
        Edn::Value(Value::Uri(uri)) => Ok(uri.as_str()),
        _ => Err(c.wrong_type(0, "a URI")),
    }
}

fn uri(c: &Invocation<'_>, part: for<'a> fn(&UriParts<'a>) -> Option<&'a str>) -> Outcome {
    Ok(part(&UriParts::of(uri_text(c)?)).map_or(Edn::Nil, Edn::string))
}

fn at(c: &Invocation<'_>, default: Option<&Edn>) -> Outcome {
    let all = clj::elements(c.edn(0)?).ok_or_else(|| c.wrong_type(0, "a vector or list"))?;
    let at = c.position(1)?;
    let found = usize::try_from(at).ok().and_then(|at| all.get(at));
    found.or(default).cloned().ok_or_else(|| {
        CallError::OutOfBounds {
            function: c.function(),
            index: at,
            length: all.len(),
        }
        .into()
    })
}

fn size(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        Edn::Map(entries) => Ok(Edn::long(entries.len() as i64)),
        form @ (Edn::List(_) | Edn::Vector(_) | Edn::Set(_) | Edn::Value(Value::Tuple(_))) => {
            Ok(Edn::long(seq(form).map_or(0, |all| all.len()) as i64))
        }
        _ => Err(c.wrong_type(0, "a collection")),
    }
}

fn extreme(c: &Invocation<'_>, greatest: bool) -> Outcome {
    let all = items(c, 0)?;
    let order = |a: &&Edn, b: &&Edn| clj::compare(a, b);
    let found = if greatest {
        all.iter().max_by(order)
    } else {
        all.iter().min_by(order)
    };
    found
        .cloned()
        .ok_or_else(|| c.wrong_type(0, "a collection with elements"))
}
