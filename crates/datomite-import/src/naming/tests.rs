//! Every example of the naming rules, as a table.

use super::*;

#[test]
fn identifiers_are_split_lowered_and_encoded() {
    for (sql, expected) in [
        ("users", "users"),
        ("invoice_line", "invoice-line"),
        ("createdAt", "created-at"),
        ("CreatedAt", "created-at"),
        ("HTTPServer", "http-server"),
        ("userID", "user-id"),
        ("FOO_BAR", "foo-bar"),
        ("address2", "address2"),
        ("a.b", "a%2Eb"),
        ("a-b", "a%2Db"),
        ("2fa", "%32fa"),
        ("_hidden", "-hidden"),
        ("Zip Code", "zip-code"),
        ("ünï", "ünï"),
        ("bıgınt", "bıgınt"),
        ("100%", "%3100%25"),
        ("new\nline", "new%0Aline"),
        ("Ta\"ble; -- x", "ta%22ble%3B-%2D%2D-x"),
    ] {
        assert_eq!(identifier(sql), expected, "{sql}");
    }
}

#[test]
fn namespaces_carry_other_schemas_and_avoid_reserved_words() {
    for (schema, table, expected) in [
        ("public", "users", "users"),
        ("public", "invoice_line", "invoice-line"),
        ("s2", "users", "s2.users"),
        ("Weird Schema", "t", "weird-schema.t"),
        ("public", "db", "db%"),
        ("db", "users", "db.users%"),
        ("public", "pg", "pg%"),
        ("public", "fressian", "fressian%"),
    ] {
        assert_eq!(
            namespace(schema, &identifier(table)),
            expected,
            "{schema}.{table}"
        );
    }
}

#[test]
fn references_lose_a_trailing_id_unless_that_name_is_taken() {
    let names = |list: &[(&str, bool)]| {
        let named: Vec<Named> = list
            .iter()
            .map(|(sql, is_reference)| Named {
                sql,
                is_reference: *is_reference,
                known: None,
            })
            .collect();
        columns(&named)
    };
    assert_eq!(
        names(&[("track_id", false), ("album_id", true)]),
        ["track-id", "album"]
    );
    assert_eq!(names(&[("ship_via", true)]), ["ship-via"]);
    assert_eq!(
        names(&[("original_language_id", true)]),
        ["original-language"]
    );
    assert_eq!(
        names(&[("album", false), ("album_id", true)]),
        ["album", "album-id"]
    );
    assert_eq!(names(&[("id", true)]), ["id"]);
}

#[test]
fn collisions_keep_the_plain_name_and_else_the_spelling() {
    let names = |list: &[&str]| {
        let named: Vec<Named> = list
            .iter()
            .map(|sql| Named {
                sql,
                is_reference: false,
                known: None,
            })
            .collect();
        columns(&named)
    };
    assert_eq!(names(&["id", "Id", "ID"]), ["id", "Id", "ID"]);
    assert_eq!(names(&["Id", "id", "ID"]), ["Id", "id", "ID"]);
    assert_eq!(
        names(&["createdAt", "created_at"]),
        ["createdAt", "created-at"]
    );
    assert_eq!(names(&["fooBar", "FooBar"]), ["foo-bar", "FooBar"]);
}

#[test]
fn a_name_that_exists_never_changes_when_a_column_arrives() {
    let named = [
        Named {
            sql: "createdAt",
            is_reference: false,
            known: Some("created-at"),
        },
        Named {
            sql: "created_at",
            is_reference: false,
            known: None,
        },
    ];
    assert_eq!(columns(&named), ["created-at", "created_at"]);
}

#[test]
fn labels_are_verbatim_but_readable() {
    for (type_name, text, expected) in [
        ("mpaa_rating", "PG-13", "PG-13"),
        ("mood", "x", "x"),
        ("order_state", "order_state/new", "new"),
        ("mood", "it's \"odd\"", "it%27s%20%22odd%22"),
        ("mood", "with,comma", "with%2Ccomma"),
        ("mood", "", "%"),
        ("mood", "emoji 😀", "emoji%20😀"),
        ("mood", "1st", "%31st"),
        ("mood", "other/new", "other%2Fnew"),
    ] {
        assert_eq!(label(type_name, text), expected, "{text}");
    }
}

#[test]
fn singulars_by_ending() {
    for (plural, one) in [
        ("users", "user"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("status", "status"),
        ("news", "news"),
    ] {
        assert_eq!(singular(plural), one);
    }
}
