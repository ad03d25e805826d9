use datomite::Edn;

use super::{Answer, Rows, Shape, render};
use crate::args::Format;

fn two_rows(shape: Shape) -> Answer {
    Answer::Rows(Rows {
        columns: vec!["?n".into(), "(sum ?x)".into()],
        rows: vec![
            vec![
                Edn::string("a \"b\", c"),
                datomite::read("1.50M").expect("a decimal"),
            ],
            vec![Edn::string("line\nbreak"), Edn::long(2)],
        ],
        shape,
    })
}

#[test]
fn edn_is_one_form_with_a_row_a_line() {
    let text = render(&two_rows(Shape::Set), Format::Edn, false, None);
    assert_eq!(text.lines().count(), 2);
    assert_eq!(
        datomite::read(&text).expect("it reads back"),
        datomite::read("#{[\"a \\\"b\\\", c\" 1.50M] [\"line\\nbreak\" 2]}").expect("a set"),
    );
}

#[test]
fn csv_quotes_what_needs_it() {
    let text = render(&two_rows(Shape::Bag), Format::Csv, false, None);
    assert_eq!(
        text,
        "?n,(sum ?x)\n\"a \"\"b\"\", c\",1.50\n\"line\nbreak\",2\n"
    );
}

#[test]
fn json_rows_are_arrays() {
    let text = render(&two_rows(Shape::Bag), Format::Json, false, None);
    assert_eq!(
        text,
        "[[\"a \\\"b\\\", c\",\"1.50\"],[\"line\\nbreak\",2]]\n"
    );
}

#[test]
fn a_table_counts_its_rows_and_drops_the_m() {
    let text = render(&two_rows(Shape::Set), Format::Table, false, None);
    assert!(text.contains("line\\nbreak"), "{text}");
    assert!(text.contains("1.50"), "{text}");
    assert!(!text.contains("1.50M"), "{text}");
    assert!(text.ends_with("2 rows\n"), "{text}");
}

#[test]
fn a_scalar_stands_bare() {
    assert_eq!(
        render(&Answer::Value(Edn::long(585)), Format::Edn, false, None),
        "585\n"
    );
    assert_eq!(
        render(&Answer::Value(Edn::long(585)), Format::Table, false, None),
        "585\n"
    );
}
