namespace A.B {
/// <summary>
public class C {
  public int P { get; set; }
  [Fact]
  public void M() {
  }
}
}
