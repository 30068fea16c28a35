#!/bin/sh

# doc
foo() {
  echo
}
function bar { echo; }
