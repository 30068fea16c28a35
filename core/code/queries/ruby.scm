; Symbols of Ruby. Blocks of RSpec and Minitest count as functions, since that is how tests are written.
(module name: (_) @name body: (_)? @body) @module
(class name: (_) @name body: (_)? @body) @class
(method name: (_) @name body: (_)? @body) @function
(singleton_method object: (_) @scope name: (_) @name body: (_)? @body) @function
((call method: (identifier) @_call arguments: (argument_list . (_) @name) block: [(do_block body: (_)? @body) (block)]) @function
  (#match? @_call "^(describe|context|it|specify|test|scenario|feature|task|namespace)$"))
(comment) @comment
