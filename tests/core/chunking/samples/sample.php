<?php
namespace A;
/** doc */
final class C extends TestCase {
  public function testX(): void {}
}
function f() {}
interface I {}
