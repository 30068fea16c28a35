# doc
module M
  class A < B
    def self.s(a)
    end
    def m; end
  end
end
describe 'x' do
  it 'works' do
  end
end
