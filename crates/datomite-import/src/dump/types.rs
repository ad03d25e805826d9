//! Names of types: the small grammar of `timestamp(3) without time zone` and its kin.
//!
//! Every spelling of a built-in type becomes the one that `format_type` prints.

use super::cursor::Cursor;
use crate::catalog::TypeName;

/// Reads a type; the flag tells that it is one of the serial pseudo types.
pub(crate) fn type_name(c: &mut Cursor) -> Option<(TypeName, bool)> {
    let quoted = c.at_quoted_name();
    let mut parts = c.dotted()?;
    let mut name = parts.pop()?;
    let schema = parts.pop().filter(|s| s != "pg_catalog");
    let mut serial = false;
    let mut modifiers = Vec::new();
    if quoted && schema.is_none() {
        // `"char"` is another type than `char`; other quoted names are plain names.
        if name == "char" {
            name = "\"char\"".to_owned();
        }
    } else if schema.is_none() {
        (name, serial) = built_in(c, &name);
    }
    modifiers.append(&mut interval_fields(c, &name));
    if c.symbol('(') {
        while !c.symbol(')') {
            let minus = if c.symbol('-') { "-" } else { "" };
            modifiers.push(format!("{minus}{}", c.value()?));
            c.symbol(',');
        }
    }
    if matches!(name.as_str(), "timestamp" | "time") {
        let zone = if c.words(&["with", "time", "zone"]) {
            "with"
        } else {
            "without"
        };
        c.words(&["without", "time", "zone"]);
        name = format!("{name} {zone} time zone");
    }
    if name == "character" && modifiers.is_empty() {
        modifiers.push("1".to_owned());
    }
    let array = array(c);
    Some((
        TypeName {
            schema,
            name,
            modifiers,
            array,
        },
        serial,
    ))
}

fn built_in(c: &mut Cursor, word: &str) -> (String, bool) {
    let name = match word {
        "int" | "int4" | "integer" => "integer",
        "serial" | "serial4" => return ("integer".to_owned(), true),
        "int2" | "smallint" => "smallint",
        "smallserial" | "serial2" => return ("smallint".to_owned(), true),
        "int8" | "bigint" => "bigint",
        "bigserial" | "serial8" => return ("bigint".to_owned(), true),
        "bool" => "boolean",
        "float4" => "real",
        "float8" => "double precision",
        "float" => return (float(c), false),
        "double" => {
            c.words(&["precision"]);
            "double precision"
        }
        "decimal" | "dec" => "numeric",
        "varchar" => "character varying",
        "character" | "char" | "nchar" => varying(c, "character"),
        "national" => {
            c.any_word();
            varying(c, "character")
        }
        "bit" => varying(c, "bit"),
        "varbit" => "bit varying",
        "timestamptz" => "timestamp with time zone",
        "timetz" => "time with time zone",
        other => other,
    };
    (name.to_owned(), false)
}

fn varying(c: &mut Cursor, base: &'static str) -> &'static str {
    match (c.words(&["varying"]), base) {
        (true, "bit") => "bit varying",
        (true, _) => "character varying",
        (false, base) => base,
    }
}

/// `float(24)` is real, `float(25)` and `float` double precision.
fn float(c: &mut Cursor) -> String {
    let mut digits = 53;
    if c.symbol('(') {
        digits = c.integer().unwrap_or(53);
        c.symbol(')');
    }
    if digits <= 24 {
        "real"
    } else {
        "double precision"
    }
    .to_owned()
}

fn interval_fields(c: &mut Cursor, name: &str) -> Vec<String> {
    if name != "interval" {
        return Vec::new();
    }
    let units = ["year", "month", "day", "hour", "minute", "second", "to"];
    let mut fields = Vec::new();
    while let Some(unit) = units.iter().find(|u| c.at_word(u)) {
        fields.push(*unit);
        c.next_token();
    }
    if fields.is_empty() {
        Vec::new()
    } else {
        vec![fields.join(" ")]
    }
}

fn array(c: &mut Cursor) -> bool {
    let mut array = c.words(&["array"]);
    while c.symbol('[') {
        array = true;
        c.number();
        c.symbol(']');
    }
    array
}
