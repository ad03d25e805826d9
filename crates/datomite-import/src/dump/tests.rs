//! Splitting, lexing, COPY, INSERT, DDL and cuts, on small texts.

use std::io::Write;

use super::fields::{Field, Fields};
use super::lex::{Lexer, Token};
use super::reader::{Piece, Reader};
use super::{Dump, copy, insert, sniff};
use crate::ImportError;
use crate::catalog::DefaultValue;
use crate::ddl::{Ddl, default_value};

/// A reader that gives one byte at a time: every state must survive the end of a buffer.
struct Drip<'a>(&'a [u8]);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.len().min(out.len()).min(1);
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn pieces(text: &str) -> Vec<String> {
    let mut reader = Reader::new(Drip(text.as_bytes()), 0, 1);
    let mut out = Vec::new();
    while let Some(piece) = reader.piece(true).expect("splits") {
        let (Piece::Statement(bytes) | Piece::Command(bytes)) = piece;
        out.push(String::from_utf8_lossy(bytes).into_owned());
    }
    out
}

#[test]
fn semicolons_hide_in_quotes_comments_and_bodies() {
    let statements = [
        "SELECT ';', E'\\';', \"a;b\";",
        "SELECT $$;$$, $_$ ; $q$ ; $q$ $_$;",
        "SELECT 1 /* ; /* ; */ ; */ + 1;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 \
         END; SELECT 2; END;",
        "CREATE RULE r AS ON INSERT TO v DO INSTEAD (SELECT 1; SELECT 2);",
        "SELECT 1 -- ;\n + 2;",
        "\\restrict abc",
        "SELECT a$b$c;",
    ];
    let text = statements.join("\n-- a comment;\n");
    assert_eq!(pieces(&text), statements);
}

#[test]
fn an_open_quote_at_the_end_is_a_cut() {
    let mut reader = Reader::new(&b"SELECT 1;\nSELECT 'abc"[..], 0, 1);
    assert!(reader.piece(true).expect("the first").is_some());
    let error = reader.piece(true).expect_err("the second is cut");
    assert!(
        matches!(error, ImportError::Cut { ref place, .. } if place.line == 2),
        "{error}"
    );
}

#[test]
fn literals_of_every_form_have_their_text() {
    for (text, expected) in [
        ("'it''s'", "it's"),
        ("E'a\\nb\\x41\\101\\u00e9\\\\'", "a\nbAAé\\"),
        ("U&'d\\0061t\\+000061'", "data"),
        ("N'x'", "x"),
        ("$t$a'b$t$", "a'b"),
        ("'a'\n  'b'", "ab"),
        ("B'101'", "101"),
        ("X'1F'", "00011111"),
    ] {
        let token = Lexer::new(text, 0, true).next().expect(text).token;
        assert_eq!(token, Token::Text(expected.to_owned()), "{text}");
    }
    let token = Lexer::new("'a\\'b'", 0, false)
        .next()
        .expect("old strings")
        .token;
    assert_eq!(token, Token::Text("a'b".to_owned()));
}

fn texts(fields: &Fields) -> Vec<Option<String>> {
    (0..fields.len())
        .map(|n| match fields.get(n) {
            Field::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Field::Expression(text) => Some(format!("={}", String::from_utf8_lossy(text))),
            Field::Default => Some("DEFAULT".to_owned()),
            Field::Null => None,
        })
        .collect()
}

#[test]
fn copy_decides_null_before_it_unescapes() {
    let some = |text: &str| Some(text.to_owned());
    let mut fields = Fields::default();
    copy::split(
        b"1\t\\N\t\\\\N\t\\\\.\ta\\tb\\nc\\101\\x42\\q\t",
        7,
        &mut fields,
    );
    let expected = [
        some("1"),
        None,
        some("\\N"),
        some("\\."),
        some("a\tb\ncABq"),
        some(""),
    ];
    assert_eq!(texts(&fields), expected);
    copy::split(b"", 0, &mut fields);
    assert_eq!(fields.len(), 0);
    copy::split(b"", 1, &mut fields);
    assert_eq!(texts(&fields), [some("")]);
}

#[test]
fn inserts_give_rows_of_constants() {
    let some = |text: &str| Some(text.to_owned());
    let text = "INSERT INTO s.\"T\" (a, \"B\") OVERRIDING SYSTEM VALUE VALUES\n\t(-1, 'x'), \
                (NULL::text, E'\\t'), (DEFAULT, now()), (ARRAY['a', NULL], CAST('3' AS int)), \
                (date '2020-01-01', TRUE::boolean) ON CONFLICT DO NOTHING;";
    let head = insert::head(text, true).expect("an insert");
    assert_eq!(
        (head.table.schema.as_deref(), head.table.name.as_str()),
        (Some("s"), "T")
    );
    assert_eq!(head.columns, ["a", "B"]);
    let mut rows = insert::Rows::new(text, head.rows_at.expect("values"), true, 1);
    let mut fields = Fields::default();
    let mut all = Vec::new();
    while rows.next(&mut fields).expect("rows") {
        all.push(texts(&fields));
    }
    let expected = [
        [some("-1"), some("x")],
        [None, some("\t")],
        [some("DEFAULT"), some("=now()")],
        [some("{\"a\",NULL}"), some("3")],
        [some("2020-01-01"), some("t")],
    ];
    assert_eq!(all, expected);
}

fn catalog(text: &str) -> Ddl {
    let mut ddl = Ddl::new();
    for piece in pieces(text) {
        let statement = super::statement::parse(&piece, true);
        ddl.apply(statement);
    }
    ddl
}

#[test]
fn tables_written_by_hand_declare_keys_inline() {
    let ddl = catalog(
        "CREATE TABLE a (id serial PRIMARY KEY, name varchar(10) UNIQUE NOT NULL DEFAULT 'x;y');
         CREATE TABLE b (x int REFERENCES a(id) ON DELETE CASCADE, y timestamp(3) with time zone,
           z numeric(10,2)[], PRIMARY KEY (x, y), FOREIGN KEY (x) REFERENCES a,
           g int GENERATED ALWAYS AS (x * 2) STORED, CHECK (x > 0));
         ALTER TABLE ONLY b ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (z);",
    );
    let a = ddl
        .catalog
        .table(&crate::Name::new("public", "a"))
        .expect("a");
    assert_eq!(a.primary_key, ["id"]);
    assert_eq!(a.uniques, [["name"]]);
    let b = ddl
        .catalog
        .table(&crate::Name::new("public", "b"))
        .expect("b");
    assert_eq!(b.primary_key, ["x", "y"]);
    assert_eq!(b.foreign_keys.len(), 2);
    let types: Vec<String> = b.columns.iter().map(|c| c.type_name.to_string()).collect();
    assert_eq!(
        types,
        [
            "integer",
            "timestamp(3) with time zone",
            "numeric(10,2)[]",
            "integer"
        ]
    );
    assert!(b.columns[3].generated);
    assert_eq!(b.uniques, [["z"]]);
}

#[test]
fn defaults_are_constants_sequences_or_expressions() {
    let literal = |text: &str| DefaultValue::Literal(text.to_owned());
    assert_eq!(default_value("'x'::character varying(10)"), literal("x"));
    assert_eq!(default_value("-5"), literal("-5"));
    assert_eq!(default_value("NULL::text"), DefaultValue::Null);
    assert!(matches!(
        default_value("nextval('s.q'::regclass)"),
        DefaultValue::Named(_)
    ));
    assert!(matches!(
        default_value("now()"),
        DefaultValue::Expression(_)
    ));
    assert!(matches!(
        default_value("'a'::text || 'b'"),
        DefaultValue::Expression(_)
    ));
}

#[test]
fn other_forms_are_refused_with_the_way_out() {
    for (head, word) in [
        (&b"\x1f\x8b\x08"[..], "gzip -dc f"),
        (b"\x28\xb5\x2f\xfd", "zstd -dc f"),
        (b"BZh9", "bzip2 -dc f"),
        (b"\x04\x22\x4d\x18", "lz4 -dc f"),
        (b"\xfd7zXZ\x00", "xz -dc f"),
        (b"PK\x03\x04", "unzip -p f"),
    ] {
        let error = sniff::sniff(head, "f").expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
        assert!(error.ends_with("| datomite open -"), "{error}");
    }
    let mut tar = vec![0; 512];
    tar[..7].copy_from_slice(b"toc.dat");
    let error = sniff::sniff(&tar, "f").expect_err("tar").to_string();
    assert_eq!(
        error,
        "tar archive: not read yet; pg_restore -f - f | datomite open -"
    );
}

#[test]
fn a_cut_copy_names_its_table() {
    let text = "CREATE TABLE t (a int);\nCOPY public.t (a) FROM stdin;\n1\n2\n";
    let dump = Dump::from_reader(text.as_bytes()).expect("opens");
    let error = dump.scan(&mut |_| Ok(())).expect_err("is cut");
    assert!(error.to_string().contains("table t"), "{error}");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"PGDMP\x01\x0e\x00\x04\x08\x01")
        .expect("writes");
    let error = Dump::open(file.path()).expect_err("is cut");
    assert!(matches!(error, ImportError::Cut { .. }), "{error}");
}
