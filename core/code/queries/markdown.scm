; Sections of Markdown: a heading with all below it; a section inside it is a symbol of its own.
(section . (atx_heading heading_content: (_) @name)) @section
(section . (setext_heading heading_content: (_) @name)) @section
