; Symbols of Python. Methods are functions whose scope is a class.
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
