/// doc
public class A {
  init() {}
  func m() {}
}
struct S {
}
protocol P {
  func q()
}
func f() {}
