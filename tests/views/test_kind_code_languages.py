"""Views of programs in languages other than Python."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharedctx.tokens import Estimate
from sharedctx.views.kind import Brief, Draft, Source
from sharedctx.views.kinds.code import KIND
from sharedctx.views.view import Marks

count = Estimate("estimate")

GO = """// Package shop sells.
package shop

import (
	"errors"
	"fmt"
)

const Limit = 12

// Shop is a place.
type Shop struct {
	Name string
	open bool
}

// Sell sells a thing.
// It may fail.
func (s *Shop) Sell(thing string, n int) (int, error) {
	hidden := "} not the end {"
	if n < 0 {
		return 0, fmt.Errorf("cannot sell %d", n)
	}
	hidden += thing
	return len(hidden), nil
}

func helper(a int) int {
	hidden := a * 2
	return hidden
}
"""

RUST = """//! Shops.
use std::collections::HashMap;

/// A shop.
#[derive(Clone, Debug)]
pub struct Shop {
    name: String,
}

impl Shop {
    /// Sells a thing.
    pub fn sell<'a>(&'a self, thing: &'a str) -> Result<usize, Error> {
        let hidden = '{';
        let more_hidden = r#"a " } b"#;
        if thing.is_empty() {
            return Err(Error::Empty);
        }
        Ok(more_hidden.len() + hidden.len_utf8())
    }

    fn count(&self) -> usize {
        let hidden = self.name.len();
        hidden + 1
    }
}
"""

TYPESCRIPT = """import { Base } from "./base.js";

export interface Shop extends Base {
  name: string;
}

export class Market<T extends Shop> {
  private shops: T[] = [];

  constructor(name: string) {
    const hidden = `${name} } {`;
    this.title = hidden;
  }

  async sell(thing: string): Promise<void> {
    const hidden = /[{"']/.test(thing);
    if (hidden) {
      throw new Error("cannot sell");
    }
    await this.done(thing);
  }
}

export const pick = async (shop: Shop) => {
  const hidden = shop.name;
  return hidden.trim();
};
"""

JAVA = """package org.shop;

import java.util.List;

/** A shop. */
public class Shop extends Base implements Seller {
    private final String name;

    @Override
    public int sell(String thing, int n) throws SellException {
        String hidden = "}" + thing;
        if (n < 0) {
            throw new SellException("cannot sell " + n);
        }
        return hidden.length();
    }

    static List<String> names() {
        List<String> hidden = List.of("a");
        return hidden;
    }
}
"""

C = """#include <stdio.h>
#define LIMIT 12

struct shop {
    char *name;
};

static int sell(struct shop *shop, int n)
{
    char hidden = '}';
    if (n < 0) {
        fprintf(stderr, "cannot sell\\n");
        return -1;
    }
    return hidden + n;
}

int main(int argc, char **argv) {
    int hidden = argc;
    return 0;
}
"""

RUBY = """require 'json'

class Shop < Base
  attr_reader :name
  def sell(thing)
    hidden = thing.to_s
    raise ArgumentError, 'cannot sell' if hidden.empty?
    hidden.size
  end

  def count
    hidden = @things.map do |thing|
      thing.size
    end
    hidden.sum
  end
end
"""

SHELL = """#!/bin/bash
set -e
LIMIT=12
sell() {
  local hidden="$1"
  if [ -z "$hidden" ]; then
    echo "cannot sell" >&2
    exit 3
  fi
  echo "$hidden"
}

count() {
  local hidden=0
  echo "$hidden"
}
"""

SQL = """-- shops
CREATE TABLE shop (
    id bigint PRIMARY KEY,
    name varchar(80) NOT NULL
);

CREATE FUNCTION sell(n int) RETURNS int AS $$
DECLARE
    hidden int;
BEGIN
    hidden := n;
    RAISE EXCEPTION 'cannot sell';
    RETURN hidden;
END;
$$ LANGUAGE plpgsql;

INSERT INTO shop VALUES
    (1, 'a'),
    (2, 'hidden');
"""

PROGRAMS = [
    (GO, ['"errors"', "Limit = 12", "type Shop struct {", "\tName string", "func helper(a int)"], "cannot sell"),
    (
        RUST,
        ["use std::collections", "struct Shop {", "/// A shop.", "fn count(&self)", "#[derive"],
        "Err(Error::Empty)",
    ),
    (TYPESCRIPT, ["./base.js", "extends Base", "class Market", "sell(thing: string)", "pick = async"], "cannot sell"),
    (JAVA, ["import java.util", "class Shop", "String name;", "int sell(", "names()", "@Override"], "cannot sell"),
    (C, ["#include <stdio.h>", "struct shop {", "sell(struct shop *shop, int n)", "int main(int argc"], "cannot sell"),
    (RUBY, ["require 'json'", "class Shop < Base", "attr_reader", "def sell(thing)", "def count"], "cannot sell"),
    (SHELL, ["#!/bin/bash", "LIMIT=12", "sell() {", "count() {"], "cannot sell"),
    (SQL, ["CREATE TABLE shop", "name varchar(80)", "FUNCTION sell(n int)", "INSERT INTO shop"], "cannot sell"),
]


def view(text: str, budget: int | None = None, *wanted: str) -> Draft:
    draft = KIND.shorten(Source(text), Brief(budget, count, wanted, Marks("key", 3)))
    return draft or Draft(text, "whole")


def uncovered(text: str, draft: Draft) -> list[str]:
    """The lines that neither the view nor its references have."""
    lines = text.split("\n")
    left = set(range(len(lines)))
    for ref in draft.refs:
        found = re.fullmatch(r"v3:lines:(\d+)(?:-(\d+))?", ref)
        assert found, ref
        left -= set(range(int(found[1]) - 1, int(found[2] or found[1])))
    return [lines[index] for index in left if lines[index].rstrip("\r") not in draft.text]


@pytest.mark.parametrize(("text", "kept", "failure"), PROGRAMS, ids=[kept[0] for _, kept, _ in PROGRAMS])
def test_a_program_is_shown_by_what_it_declares_and_where_it_fails(text: str, kept: list[str], failure: str) -> None:
    assert KIND.fits(Source(text)) > 0.5
    draft = view(text)
    for line in (*kept, failure):
        assert line in draft.text, line
    assert not [line for line in draft.text.split("\n") if re.search(r"\bhidden (?:=|:=|\+=)|hidden = ", line)]
    assert not uncovered(text, draft)


@pytest.mark.parametrize("text", [text * 5 for text, _, _ in PROGRAMS])
@pytest.mark.parametrize("budget", [50, 90, 200, 500])
def test_a_budget_is_kept_and_everything_can_be_had(text: str, budget: int) -> None:
    for wanted in ((), ("sell",)):
        draft = view(text, budget, *wanted)
        assert count(draft.text) <= budget
        assert not uncovered(text, draft)


BRACES = """
func tricky() {
	hidden := "{" // {
	hidden += `}}}`
	hidden += '}'
}

func after() {}
"""


def test_braces_in_strings_and_comments_do_not_count() -> None:
    draft = view(GO + BRACES)
    assert "func tricky() {" in draft.text
    assert "func after() {}" in draft.text
    assert "hidden +=" not in draft.text


def test_a_missing_brace_spoils_one_function_only() -> None:
    text = JAVA.replace("n);\n        }", "n);") + JAVA.replace("class Shop", "class Second").replace(
        "names()", "titles()"
    )
    draft = view(text)
    for kept in ("static List<String> names()", "class Second", "titles()"):
        assert kept in draft.text


LINES = [line for text, _, _ in PROGRAMS for line in text.split("\n")] + ["`", "/*", "*/", "{", "}", "\\", "…1-9", "\r"]


@settings(max_examples=60)
@given(st.sampled_from([GO, TYPESCRIPT, C, SQL, RUBY]), st.lists(st.sampled_from(LINES), max_size=60))
def test_any_lines_in_a_program_lose_nothing(program: str, lines: list[str]) -> None:
    text = program + "\n".join(lines)
    for limit in (None, 80):
        draft = view(text, limit, "sell")
        assert not uncovered(text, draft)
        assert limit is None or count(draft.text) <= limit or draft.text == text
